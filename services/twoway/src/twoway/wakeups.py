"""One listening connection a process, and any number of waiters on it."""

import asyncio

from mesh.store.notifications import Listener

POLL_SECONDS = 2.0
"""How late a notification that got lost is noticed."""


class Wakeups:
    """Take a `ticket` before looking, and `wait` with it after finding nothing."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ticket(self) -> asyncio.Event:
        """What is set when something happens from now on."""
        return self._next

    async def wait(self, ticket: asyncio.Event) -> None:
        """Until something has happened since the ticket was taken, or it is time to look anyway."""
        await ticket.wait()

    async def run(self, database_url: str, channel: str) -> None:
        """Wake waiters at each notification, and now and then without one, until cancelled."""
        async with Listener(database_url, channel) as listener:
            while True:
                await listener.wait(POLL_SECONDS)
                self.wake()

    def wake(self) -> None:
        """Let everybody look."""
        woken, self._next = self._next, asyncio.Event()
        woken.set()
