"""One export job from its last complete file to its end.

A file is moved to its place before the job says so: a job that is killed in between writes the same
file again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Final

from heliograph import endpoint_records
from heliograph.audience.v1 import export_job_pb2 as pb
from heliograph.audience.v1 import segment_service_pb2 as service_pb
from mesh.aip import operations
from mesh.errors import Error
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import metrics
from audience.tables import ExportJobRow
from audience.transfers import export_files, exports, rendering
from audience.transfers.export_files import ExportFile
from audience.transfers.members import Members
from audience.transfers.pulling import in_thread
from audience.transfers.targets import not_writable
from audience.transfers.worker import Kind

ATTEMPTS_MAX: Final = 5
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
    ) -> None:
        self._sessions = sessions
        self._members = members
        self._now = now

    async def run(self, application: str, export_job: str) -> None:
        """Bring a job to its end, or to an error that passes and is worth another attempt."""
        job = await self._start(application, export_job)
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

    async def _start(self, application: str, export_job: str) -> ExportJobRow | None:
        """Count the attempt; None when there is nothing to do any more."""
        async with self._sessions.begin() as session:
            job = await exports.get(session, application, export_job, lock=True)
            if job.state not in exports.OPEN:
                return None
            job.attempts += 1
            if job.attempts > ATTEMPTS_MAX:
                await exports.fail(session, job, _abandoned(job), self._now())
                return None
            job.state = pb.ExportJob.RUNNING
            job.start_time = job.start_time or self._now()
            await operations.update(session, job.operation, rendering.export_job(job))
        return job

    async def _export(self, job: ExportJobRow) -> None:
        """File after file, from one stream of members."""
        pages = self._members.pages(
            job.application, job.segment, after=job.last, read_time=job.read_time
        )
        async with aclosing(pages):
            source = _Pages(pages)
            try:
                while await source.has_more():
                    if not await self._write(job, source):
                        return
            finally:
                await source.close()
        async with self._sessions.begin() as session:
            row = await exports.get(session, job.application, job.export_job, lock=True)
            if row.state == pb.ExportJob.RUNNING:
                row.total_count = job.total_count
                await exports.succeed(session, row, self._now())

    async def _write(self, job: ExportJobRow, source: "_Pages") -> bool:
        """Write one file; false when the job was stopped or is another worker's now."""
        spec = pb.ExportSpec.FromString(job.spec)
        name = export_files.name(len(job.files), spec.format, spec.compression)
        kind = export_files.KINDS[spec.format]
        file = await in_thread(lambda: kind(Path(job.path) / name, spec.compression))
        try:
            written, last = await self._fill(job, file, source, spec)
            if not last:
                return False
            await in_thread(file.finish)
        finally:
            await in_thread(file.close)
        return await self._commit(job, name, written, last)

    async def _fill(
        self, job: ExportJobRow, file: ExportFile, source: "_Pages", spec: pb.ExportSpec
    ) -> tuple[int, str]:
        """Endpoints written and the last of them; no last one when the job was stopped."""
        wanted = spec.endpoints_per_file or ENDPOINTS_PER_FILE
        written, told, last = 0, 0, ""
        while written < wanted and (page := await source.take(wanted - written)):
            await in_thread(lambda page=page: _add(file, page))  # type: ignore[misc]
            written, last = written + len(page.endpoints), page.last
            if written - told >= PROGRESS_ENDPOINTS:
                told = written
                if not await self._tell(job, written):
                    return written, ""
        return written, last

    async def _tell(self, job: ExportJobRow, written: int) -> bool:
        """Say how far the file is; false when the job was stopped."""
        async with self._sessions.begin() as session:
            row = await exports.get(session, job.application, job.export_job, lock=True)
            if row.state != pb.ExportJob.RUNNING or row.last != job.last:
                return False
            row.total_count = job.total_count
            progress = rendering.export_job(row)
            progress.exported_count += written
            operation = await operations.update(session, row.operation, progress)
            if operation.cancel_requested:
                await exports.fail(session, row, exports.cancelled(), self._now())
        return row.state == pb.ExportJob.RUNNING

    async def _commit(self, job: ExportJobRow, name: str, written: int, last: str) -> bool:
        """The file is complete."""
        async with self._sessions.begin() as session:
            row = await exports.get(session, job.application, job.export_job, lock=True)
            if row.state != pb.ExportJob.RUNNING or row.last != job.last:
                return False
            row.exported_count += written
            row.last, row.files, row.attempts = last, [*row.files, name], 1
            row.total_count = job.total_count
            operation = await operations.update(session, row.operation, rendering.export_job(row))
            if operation.cancel_requested:
                await exports.fail(session, row, exports.cancelled(), self._now())
        job.last, job.files = row.last, row.files
        metrics.ENDPOINTS_EXPORTED.inc(written)
        return row.state == pb.ExportJob.RUNNING

    async def _end(self, job: ExportJobRow, error: Error) -> None:
        async with self._sessions.begin() as session:
            row = await exports.get(session, job.application, job.export_job, lock=True)
            if row.state in exports.OPEN:
                await exports.fail(session, row, error, self._now())


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
    sessions: async_sessionmaker[AsyncSession], members: Members, now: Callable[[], datetime]
) -> Kind:
    """Export jobs, for a worker."""
    run = Export(sessions, members, now).run
    return Kind("export", exports.CHANNEL, exports.waiting, run)


def _add(file: ExportFile, page: service_pb.MemberPage) -> None:
    file.add(map(endpoint_records.record, page.endpoints))


def _abandoned(job: ExportJobRow) -> Error:
    return Error(
        "EXPORT_ABANDONED",
        f"the job failed {ATTEMPTS_MAX} times after {job.exported_count} endpoints",
        attempts=str(ATTEMPTS_MAX),
        exported_count=str(job.exported_count),
    )
