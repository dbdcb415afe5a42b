"""One listening connection a process, and any number of waiters on it."""

from mesh import waking
from mesh.store.notifications import Listener

POLL_SECONDS = 2.0
"""How late a notification that got lost is noticed."""


class Wakeups(waking.Wakeups):
    """Wakes who waits for texts, and for what is to be done about them.

    `lists` wakes who takes lists in and out, which no text has anything to do with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lists = waking.Wakeups()

    async def run(self, database_url: str, channel: str) -> None:
        """Wake waiters at each notification until cancelled."""
        async with Listener(database_url, channel) as listener:
            while True:
                if await listener.wait(POLL_SECONDS):
                    self.wake()
