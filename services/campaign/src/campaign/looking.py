"""One look, a few times a second, tells all loops at once whether there is something for them.

Each of them looking by itself cost a replica without campaigns as much as four looks do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from mesh.waking import Wakeups
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import store


@dataclass(frozen=True)
class Looking:
    """Wakes those who begin runs, send them, send them at a pace, and close them."""

    sessions: async_sessionmaker[AsyncSession]
    now: Callable[[], datetime]
    due: Wakeups = field(default_factory=Wakeups)
    sending: Wakeups = field(default_factory=Wakeups)
    paced: Wakeups = field(default_factory=Wakeups)
    closing: Wakeups = field(default_factory=Wakeups)

    async def step(self) -> None:
        """Look once. What is found is still to be taken: another replica may be faster."""
        async with self.sessions() as session:
            found = await store.waiting(session, self.now())
        everybody = (self.due, self.sending, self.paced, self.closing)
        for wakeups, is_wanted in zip(everybody, found, strict=True):
            if is_wanted:
                wakeups.wake()
