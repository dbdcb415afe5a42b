"""What may be asked of jobs, of whatever kind: to be shown, listed, held, let go on and stopped."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from mesh.aip import pagination
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.applications.directory import Directory
from audience.transfers.jobs import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, Jobs, Resource, Row


@dataclass(frozen=True)
class Calls(Generic[Row, Resource]):
    """The calls about jobs of one kind; each answers with the job as it is then."""

    jobs: Jobs[Row, Resource]
    sessions: async_sessionmaker[AsyncSession]
    directory: Directory
    now: Callable[[], datetime]

    async def get(self, name: str) -> Resource:
        """The job, or NOT_FOUND."""
        async with self.sessions() as session:
            return self.jobs.render(await self.jobs.get(session, *self.jobs.ids(name)))

    async def page(self, request: Any) -> tuple[list[Resource], str]:
        """The jobs that a List request asks for, newest first, and the token of those after."""
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        async with self.sessions() as session:
            rows, token = await self.jobs.page(session, application, page)
        await self.directory.require_for(application, rows, page)
        return list(map(self.jobs.render, rows)), token

    async def pause(self, name: str) -> Resource:
        """Hold the job."""
        return await self._change(name, self.jobs.pause)

    async def resume(self, name: str) -> Resource:
        """Let a held job go on."""
        return await self._change(name, self.jobs.resume)

    async def cancel(self, name: str) -> Resource:
        """End the job where it is."""

        async def end(session: AsyncSession, row: Row) -> None:
            await self.jobs.fail(session, row, self.jobs.cancelled(), self.now())

        return await self._change(name, end)

    async def _change(
        self, name: str, change: Callable[[AsyncSession, Row], Awaitable[None]]
    ) -> Resource:
        async with self.sessions.begin() as session:
            row = await self.jobs.get(session, *self.jobs.ids(name), lock=True)
            await change(session, row)
            return self.jobs.render(row)
