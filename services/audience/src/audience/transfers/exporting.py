"""One export job from its last complete file to its end.

A file is moved to its place before the job says so: a job that is killed in between writes the same
file again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Final

from heliograph import endpoint_records
from heliograph.audience.v1 import export_job_pb2 as pb
from heliograph.audience.v1 import segment_service_pb2 as service_pb
from mesh.errors import Error, NotFound
from mesh.objects import targets, whole_files
from mesh.objects.opening import Objects
from mesh.objects.targets import Target, not_writable
from mesh.pulling import in_thread
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import metrics
from audience.tables import ExportJobRow
from audience.transfers import export_files, rendering
from audience.transfers.export_files import ExportFile
from audience.transfers.export_jobs import jobs
from audience.transfers.members import Members
from audience.transfers.worker import Kind

ENDPOINTS_PER_FILE: Final = 250_000
PROGRESS_ENDPOINTS: Final = 10_000
"""Endpoints of a file after which the operation says how far it is."""


class Export:
    """Runs jobs, one at a time; the caller holds the job's lock."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        members: Members,
        now: Callable[[], datetime],
        objects: Objects,
        *,
        progress_endpoints: int = PROGRESS_ENDPOINTS,
    ) -> None:
        self._objects = objects
        self._sessions = sessions
        self._members = members
        self._now = now
        self._progress_endpoints = progress_endpoints

    async def run(self, application: str, export_job: str) -> None:
        """Bring a job to its end, or to an error that passes and is worth another attempt."""
        async with self._sessions.begin() as session:
            job = await jobs.start(session, application, export_job, self._now())
        if job is None:
            return
        try:
            if not job.total_count:
                job.total_count = await self._members.count(application, job.segment)
            await self._export(job)
        except OSError as error:
            await self._end(job, not_writable(job.target, error))
        except Error as error:
            await self._end(job, error)

    async def _export(self, job: ExportJobRow) -> None:
        """File after file, from one stream of members."""
        pages = self._members.pages(
            job.application, job.segment, after=job.last, read_time=job.read_time
        )
        async with (
            aclosing(pages),
            targets.opened(self._objects, job.application, job.path) as target,
        ):
            source = _Pages(pages)
            try:
                while await source.has_more():
                    if not await self._write(job, source, target):
                        return
            finally:
                await source.close()
        async with self._sessions.begin() as session:
            row = await jobs.get(session, job.application, job.export_job, lock=True)
            if jobs.is_running(row):
                row.total_count = job.total_count
                await jobs.succeed(session, row, self._now())

    async def _write(self, job: ExportJobRow, source: "_Pages", target: Target) -> bool:
        """Write one file; false when the job was stopped or is another worker's now."""
        spec = pb.ExportSpec.FromString(job.spec)
        name = export_files.name(len(job.files), spec.format, spec.compression)
        kind = export_files.KINDS[spec.format]
        async with whole_files.opened(lambda: kind(target.path(name), spec.compression)) as file:
            written, last = await self._fill(job, file, source, spec)
            if not last:
                return False
            await in_thread(file.finish)
        await target.deliver(name)
        try:
            return await self._commit(job, name, written, last)
        except NotFound:  # its application was deleted, and what it exported with it
            await target.withdraw(name)
            raise

    async def _fill(
        self, job: ExportJobRow, file: ExportFile, source: "_Pages", spec: pb.ExportSpec
    ) -> tuple[int, str]:
        """Endpoints written and the last of them; no last one when the job was stopped."""
        wanted = spec.endpoints_per_file or ENDPOINTS_PER_FILE
        written, told, last = 0, 0, ""
        while written < wanted and (page := await source.take(wanted - written)):
            await in_thread(lambda page=page: _add(file, page))  # type: ignore[misc]
            written, last = written + len(page.endpoints), page.last
            if written - told >= self._progress_endpoints:
                told = written
                if not await self._tell(job, written):
                    return written, ""
        return written, last

    async def _tell(self, job: ExportJobRow, written: int) -> bool:
        """Say how far the file is; false when the job was stopped."""
        async with self._sessions.begin() as session:
            row = await jobs.get(session, job.application, job.export_job, lock=True)
            if not jobs.is_running(row) or row.last != job.last:
                return False
            row.total_count = job.total_count
            progress = rendering.export_job(row)
            progress.exported_count += written
            await jobs.move_on(session, row, progress, self._now())
        return jobs.is_running(row)

    async def _commit(self, job: ExportJobRow, name: str, written: int, last: str) -> bool:
        """The file is complete."""
        async with self._sessions.begin() as session:
            row = await jobs.get(session, job.application, job.export_job, lock=True)
            if not jobs.is_running(row) or row.last != job.last:
                return False
            row.exported_count += written
            row.last, row.files, row.attempts = last, [*row.files, name], 1
            row.total_count = job.total_count
            await jobs.move_on(session, row, rendering.export_job(row), self._now())
        job.last, job.files = row.last, row.files
        metrics.ENDPOINTS_EXPORTED.inc(written)
        return jobs.is_running(row)

    async def _end(self, job: ExportJobRow, error: Error) -> None:
        async with self._sessions.begin() as session:
            row = await jobs.get(session, job.application, job.export_job, lock=True)
            if jobs.may_pass(row, error):
                raise error
            await jobs.fail(session, row, error, self._now())


class _Pages:
    """Pages of members, the next one asked for while one is written; cut where a file is full."""

    def __init__(self, pages: AsyncIterator[service_pb.MemberPage]) -> None:
        self._pages = pages
        self._next = asyncio.ensure_future(self._ask())
        self._left = service_pb.MemberPage()

    async def close(self) -> None:
        """Ask for no more."""
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)

    async def has_more(self) -> bool:
        """Whether there is another member."""
        if not self._left.endpoints:
            self._left = await self._next
            if self._left.endpoints:
                self._next = asyncio.ensure_future(self._ask())
        return bool(self._left.endpoints)

    async def take(self, most: int) -> service_pb.MemberPage | None:
        """The next members, at most so many; None at the end."""
        if not await self.has_more():
            return None
        taken, self._left = self._left, service_pb.MemberPage()
        if len(taken.endpoints) > most:
            self._left.endpoints.extend(taken.endpoints[most:])
            self._left.last = taken.last
            del taken.endpoints[most:]
            taken.last = taken.endpoints[-1].name.split("/", 3)[3]
        return taken

    async def _ask(self) -> service_pb.MemberPage:
        return await anext(self._pages, service_pb.MemberPage())


def kind(
    sessions: async_sessionmaker[AsyncSession],
    members: Members,
    now: Callable[[], datetime],
    objects: Objects,
    *,
    progress_endpoints: int = PROGRESS_ENDPOINTS,
) -> Kind:
    """Export jobs, for a worker."""
    run = Export(sessions, members, now, objects, progress_endpoints=progress_endpoints).run
    return Kind("export", jobs.noun, jobs.waiting, run)


def _add(file: ExportFile, page: service_pb.MemberPage) -> None:
    file.add(map(endpoint_records.record, page.endpoints))
