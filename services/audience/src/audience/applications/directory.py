"""Which applications there are, remembered: every write asks, and the answer hardly changes."""

from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from heliograph.audience.v1.application_pb2 import ApplicationSettings
from mesh.aip.pagination import Page
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.applications import store

COUNTRY_SECONDS: Final = 5.0
"""How long a default country that was changed may still be read as it was."""


class Directory:
    """Knows applications that exist. One that is not known is looked for each time."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], country_seconds: float = COUNTRY_SECONDS
    ) -> None:
        self._sessions = sessions
        self._country_seconds = country_seconds
        self._known: set[str] = set()
        self._countries: dict[str, tuple[str, float]] = {}

    async def require(self, application: str) -> None:
        """Refuse (APPLICATION_NOT_FOUND) an application that does not exist."""
        if application in self._known:
            return
        async with self._sessions() as session:
            await store.get(session, application)
        self._known.add(application)

    async def require_for(self, application: str, found: Sequence[Any], page: Page) -> None:
        """Refuse as `require` does, and ask only about a first page of nothing."""
        if not found and page.after is None:
            await self.require(application)

    async def country(self, application: str) -> str:
        """The application's default country, empty without one; refuses as `require` does."""
        country, read_at = self._countries.get(application, ("", -self._country_seconds))
        if monotonic() - read_at < self._country_seconds:
            return country
        async with self._sessions() as session:
            stored = (await store.get(session, application)).settings
        country = ApplicationSettings.FromString(stored).default_country
        self._known.add(application)
        self._countries[application] = country, monotonic()
        return country
