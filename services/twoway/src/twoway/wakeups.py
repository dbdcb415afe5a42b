"""One listening connection a process, and any number of waiters on it."""

from mesh.store.notifications import Listener
from mesh.waking import Wakeups as Waiters

from twoway import channels

POLL_SECONDS = 2.0
"""How late a notification that got lost is noticed."""


class Wakeups:
    """Those who wait: for texts, for answers to send and texts to post, wherever in the mesh they
    are promised; and for `lists` to take in and out, which this process was asked for."""

    def __init__(self) -> None:
        self.texts = Waiters()
        self.replies = Waiters()
        self.posts = Waiters()
        self.lists = Waiters()

    async def run(self, database_url: str) -> None:
        """Wake, at each notification, those whom it concerns, until cancelled."""
        waiters = {
            channels.TEXTS: self.texts,
            channels.REPLIES: self.replies,
            channels.POSTS: self.posts,
        }
        async with Listener(database_url, *waiters) as listener:
            while True:
                await listener.wait(POLL_SECONDS)
                for channel in listener.heard():
                    waiters[channel].wake()
