"""The loop that writes exports, file after file.

A file is in its place before the row says so: an export that is killed in between writes the same
file again. Any number of replicas may run it: an export has one worker.
"""

from typing import Any, Final

from mesh import worker
from mesh.aip import works
from mesh.aip.works import Key
from mesh.errors import Error, Unavailable
from mesh.objects import targets
from mesh.objects.opening import Objects
from mesh.objects.targets import Target, not_writable
from mesh.objects.whole_files import opened
from mesh.pulling import in_thread
from mesh.store import claims
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.consent import store
from twoway.exports import files, jobs, reading
from twoway.exports.files import NumbersFile
from twoway.exports.tables import OptedOutExportRow
from twoway.wakeups import POLL_SECONDS, Wakeups

JOBS_MAX: Final = 16


class Exporter:
    """Writes the exports that wait. `pool` reads the numbers."""

    def __init__(
        self,
        database_url: str,
        sessions: async_sessionmaker[AsyncSession],
        pool: Any,
        objects: Objects,
        wakeups: Wakeups,
        *,
        page_numbers: int = reading.PAGE_NUMBERS,
    ) -> None:
        self._database_url = database_url
        self._sessions = sessions
        self._pool = pool
        self._objects = objects
        self._woken = wakeups.lists.wakeup()
        self._page_numbers = page_numbers

    async def run(self) -> None:
        """Export until cancelled."""
        await worker.run(
            *("exports", self.step),
            poll_seconds=POLL_SECONDS,
            woken=self._woken,
            backoff=worker.COUNTED,
        )

    async def step(self) -> bool:
        """The oldest export that nobody is at, to its end; false when there is none.

        Raises what stopped it if it may pass; the export stays open.
        """
        async with self._sessions() as session:
            keys = await jobs.waiting(session, JOBS_MAX)
        async with claims.first(self._database_url, "export", keys, "twoway-export-lock") as key:
            if key is not None:
                await self._export(key)
        return key is not None

    async def _export(self, key: Key) -> None:
        row = await self._begin(key)
        if row is None:
            return
        try:
            async with targets.opened(self._objects, row.application, row.path) as target:
                while await self._write(row, target):
                    pass
        except OSError as error:
            await self._end(key, not_writable(row.uri, error))
        except Error as error:
            await self._end(key, error)

    async def _begin(self, key: Key) -> OptedOutExportRow | None:
        """Count an attempt; None when there is nothing to do any more."""
        async with self._sessions.begin() as session:
            row = await jobs.get(session, key)
            if row is None or not await jobs.move_on(session, row, row.written_count):
                return None
            row.attempts += 1
            if row.attempts > jobs.ATTEMPTS_MAX:
                await works.fail(session, row, jobs.abandoned(row))
                return None
        return row

    async def _write(self, row: OptedOutExportRow, target: Target) -> bool:
        """One file; false when it was the last one, or the export has ended."""
        page = await self._page(row, row.last, row.numbers_per_file)
        if not page:
            return await self._finish(row)
        name = files.name(len(row.files), row.format, row.compression)
        path = target.path(name)
        async with opened(lambda: NumbersFile(path, row.format, row.compression)) as file:
            written, last = await self._fill(row, file, page)
            if not last:
                return False
            await in_thread(file.finish)
        await target.deliver(name)
        done = await self._commit(row, name, written, last)
        if done is None:  # its application was deleted, and what it exported with it
            await target.withdraw(name)
        return bool(done)

    async def _fill(self, row: OptedOutExportRow, file: NumbersFile, page: Any) -> tuple[int, str]:
        """How many are in the file, and the last of them: nobody when the export has ended."""
        written, last = 0, ""
        while page:
            await in_thread(lambda page=page: file.add(page))  # type: ignore[misc]
            written, last = written + len(page), page[-1]["phone_number"]
            if not await self._tell(row, written):
                return written, ""
            page = await self._page(row, last, row.numbers_per_file - written)
        return written, last

    async def _page(self, row: OptedOutExportRow, after: str, left: int) -> Any:
        if left <= 0:
            return []
        limit = min(left, self._page_numbers)
        return await reading.page(self._pool, row.application, row.opt_out_list, after, limit)

    async def _tell(self, row: OptedOutExportRow, written: int) -> bool:
        """Say how far the file is; false when the export has ended."""
        async with self._sessions.begin() as session:
            now = await jobs.get(session, (row.application, row.operation))
            if now is None:
                return False
            return await jobs.move_on(session, now, now.written_count + written)

    async def _commit(
        self, row: OptedOutExportRow, name: str, written: int, last: str
    ) -> bool | None:
        """The file is complete; false when the export was stopped, None when it is gone."""
        async with self._sessions.begin() as session:
            now = await jobs.get(session, (row.application, row.operation))
            if now is None:
                return None
            now.written_count += written
            now.last, now.files, now.attempts = last, [*now.files, name], 1
            is_open = await jobs.move_on(session, now, now.written_count)
        row.written_count, row.last, row.files = now.written_count, now.last, now.files
        return is_open

    async def _finish(self, row: OptedOutExportRow) -> bool:
        """Everybody is written, if there is still such a list."""
        async with self._sessions.begin() as session:
            now = await jobs.get(session, (row.application, row.operation))
            if now is not None:
                await store.get_list(session, names.opt_out_list(now.application, now.opt_out_list))
                await jobs.succeed(session, now)
        return False

    async def _end(self, key: Key, error: Error) -> None:
        async with self._sessions.begin() as session:
            row = await jobs.get(session, key)
            if row is None:
                return
            if isinstance(error, Unavailable) and row.attempts < jobs.ATTEMPTS_MAX:
                raise error
            await works.fail(session, row, error)
