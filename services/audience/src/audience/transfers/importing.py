"""One import job from its last committed line to its end.

While a chunk is written, the next one is read. A chunk's endpoints, its refused rows and the job's
new place are one transaction, so that a job that is killed goes on exactly where it stopped.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from mesh.aip import operations
from mesh.backoff import Backoff
from mesh.errors import Error
from mesh.objects.opening import Objects
from mesh.store import engine, failures
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import metrics
from audience.applications import settings
from audience.endpoints.announcing import announce
from audience.endpoints.batches import Batch
from audience.endpoints.prepared import refusals
from audience.endpoints.writing import Outcome
from audience.tables import ImportJobRow
from audience.transfers import listing, parts, rendering
from audience.transfers.chunks import Chunk
from audience.transfers.failures import Failure, failure
from audience.transfers.import_jobs import jobs
from audience.transfers.limits import Limits
from audience.transfers.reading import Chunks, Reading, Written
from audience.transfers.sources import Sources
from audience.transfers.worker import Kind

RETRIES_MAX: Final = 8
BACKOFF: Final = Backoff(first_seconds=0.05, max_seconds=5.0)

# A chunk of which nobody is told need not be on the disk before the next one: if the database loses
# it in a crash, it loses the job's new place with it, and the chunk is read again.
UNHURRIED: Final = "SET LOCAL synchronous_commit = off"

_FAILURE_COLUMNS: Final = (
    *("application", "import_job", "line", "field", "reason", "description"),
)


class Import:
    """Runs jobs, one at a time; the caller holds the job's lock."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        now: Callable[[], datetime],
        limits: Limits,
        objects: Objects,
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._reading = Reading(Sources(sessions, objects), now, limits)

    async def run(self, application: str, import_job: str) -> None:
        """Bring a job to its end, or to an error that passes and is worth another attempt."""
        async with self._sessions.begin() as session:
            job = await jobs.start(session, application, import_job, self._now())
        if job is None:
            return
        try:
            while job is not None:
                job = await self._import(job)
        except Error as error:
            async with self._sessions.begin() as session:
                row = await jobs.get(session, application, import_job, lock=True)
                if jobs.may_pass(row, error):
                    raise
                await jobs.fail(session, row, error, self._now())

    async def _look(self, job: ImportJobRow) -> Written:
        """How the file is written; the job says so from now on."""
        written = await self._reading.look(job)
        async with self._sessions.begin() as session:
            row = await jobs.get(session, job.application, job.import_job, lock=True)
            row.format, row.evidence, row.compression = written
            await operations.update(session, row.operation, rendering.import_job(row))
        return written

    async def _import(self, job: ImportJobRow) -> ImportJobRow | None:
        """Import the job's file, or the part that it is at; the job when another part follows."""
        async with self._sessions() as session:
            found = await settings.read(await engine.raw(session), job.application)
            file = await parts.current(session, job)
        try:
            written = await self._look(file)
            async with self._reading.chunks(file, written, found.default_country) as chunks:
                if not await self._commit_all(job, parts.Counted(chunks, job.before_lines)):
                    return None
        except Error as error:
            raise parts.named(error, file) from None
        return await self._finish(job, file)

    async def _finish(self, job: ImportJobRow, file: ImportJobRow) -> ImportJobRow | None:
        """The file is read: go on with the next part, or end the job."""
        async with self._sessions.begin() as session:
            row = await jobs.get(session, job.application, job.import_job, lock=True)
            if not jobs.is_running(row):
                return None
            row.stored_bytes = row.stored_bytes and file.total_bytes
            if await parts.go_on(session, row):
                await jobs.move_on(session, row, rendering.import_job(row), self._now())
                return row if jobs.is_running(row) else None
            row.segment = await listing.publish(session, row, self._now())
            await jobs.succeed(session, row, self._now())
        return None

    async def _commit_all(self, job: ImportJobRow, chunks: Chunks) -> bool:
        """Write chunk after chunk; false when the job was stopped or is another worker's now."""
        reading = asyncio.create_task(chunks.next())
        is_new = False
        try:
            while chunk := await reading:
                reading = asyncio.create_task(chunks.next())
                chunk.prepared.is_new = is_new
                if not await self._commit(job, chunk):
                    return False
                is_new = chunk.prepared.is_new  # most likely the next one is as this one
            return True
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _commit(self, job: ImportJobRow, chunk: Chunk) -> bool:
        """Write one chunk, again when the database was busy; false when the job is not ours."""
        for attempt in range(1, RETRIES_MAX + 1):
            try:
                with metrics.CHUNK_SECONDS.time():
                    return await self._write(job, chunk)
            except Exception as error:
                if attempt == RETRIES_MAX or not failures.is_transient(error):
                    raise
            await asyncio.sleep(BACKOFF.after(attempt))
        raise AssertionError("the last attempt returns or raises")

    async def _write(self, job: ImportJobRow, chunk: Chunk) -> bool:
        async with self._sessions.begin() as session:
            row = await jobs.get(session, job.application, job.import_job, lock=True)
            place = (job.part, job.processed_bytes)
            if not jobs.is_running(row) or (row.part, row.processed_bytes) != place:
                return False
            connection = await engine.raw(session)
            batch, outcomes, alone = await listing.bring(connection, row, chunk)
            unmerged = _unmerged(chunk, outcomes)
            refused = chunk.failures + unmerged + alone
            await _store_failures(connection, row, refused)
            if not announce(session, row.application, batch, chunk.prepared.now, "import"):
                await connection.execute(UNHURRIED)
            imported = len(outcomes) - len(unmerged) + len(chunk.users) - len(alone)
            _move_on(row, chunk, batch, imported, len(refused))
            await jobs.move_on(session, row, rendering.import_job(row), self._now())
        job.processed_bytes = row.processed_bytes
        return jobs.is_running(row)


def _move_on(row: ImportJobRow, chunk: Chunk, batch: Batch, imported: int, refused: int) -> None:
    row.processed_bytes, row.processed_lines = chunk.offset, chunk.line
    row.stored_bytes = chunk.stored_bytes
    row.imported_count += imported
    row.created_count += batch.created_count
    row.failed_count += refused
    row.deactivated_count += len(batch.claims)
    row.attempts = 1


def _unmerged(chunk: Chunk, outcomes: list[Outcome]) -> list[Failure]:
    """Rows that were well formed and could not be merged."""
    prepared = chunk.prepared
    found = prepared.refusals if outcomes is prepared.outcomes else refusals(outcomes)
    return [failure(chunk.lines[index], error) for index, error in found]


async def _store_failures(connection: Any, row: ImportJobRow, refused: list[Failure]) -> None:
    for one in refused:
        metrics.ROWS_REFUSED.labels(one.reason).inc()
    if refused:
        await connection.copy_records_to_table(
            "import_failure",
            records=[(row.application, row.import_job, *one) for one in refused],
            columns=_FAILURE_COLUMNS,
        )


def kind(
    sessions: async_sessionmaker[AsyncSession],
    now: Callable[[], datetime],
    limits: Limits,
    objects: Objects,
) -> Kind:
    """Import jobs, for a worker."""
    run = Import(sessions, now, limits, objects).run
    return Kind("import", jobs.noun, jobs.waiting, run)
