"""Which applications there are, remembered: every write asks, and the answer hardly changes."""

from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.applications import store


class Directory:
    """Knows applications that exist. One that is not known is looked for each time."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._known: set[str] = set()

    async def require(self, application: str) -> None:
        """Refuse (APPLICATION_NOT_FOUND) an application that does not exist."""
        if application in self._known:
            return
        async with self._sessions() as session:
            await store.get(session, application)
        self._known.add(application)
