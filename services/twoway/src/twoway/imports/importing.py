"""The loop that takes imports in, a thousand lines to a transaction.

How far an import is commits with what it did, so that another process goes on where one died, and
no line counts twice. Any number of replicas may do so: of two at the same lines one gives way.
"""

import asyncio
from collections.abc import Iterator
from itertools import islice

from mesh import worker
from mesh.aip import works
from mesh.aip.works import Key
from mesh.errors import Error
from mesh.objects.opening import Objects
from mesh.objects.sources import Files
from mesh.pulling import in_thread
from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import locks, names
from twoway.consent import store as lists
from twoway.imports import jobs, opening, reading, taking
from twoway.imports.reading import Line
from twoway.imports.tables import OptedOutImportRow
from twoway.wakeups import POLL_SECONDS, Wakeups

log = logging.get(__name__)

LINES_MAX = 1_000
"""Lines to a transaction, which texts that come in wait for."""

JOBS_MAX = 16


class Importer:
    """Takes in the imports that wait."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        wakeups: Wakeups,
        objects: Objects | None = None,
        *,
        lines_max: int = LINES_MAX,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._sessions = sessions
        self._files = Files(objects or Objects())
        self._woken = wakeups.lists.wakeup()
        self._poll_seconds = poll_seconds
        self._lines_max = lines_max

    async def run(self) -> None:
        """Import until cancelled."""
        await worker.run(
            *("imports", self._paced),
            poll_seconds=self._poll_seconds,
            woken=self._woken,
            backoff=worker.COUNTED,
        )

    async def _paced(self) -> None:
        """What was stopped is tried again after a while, and not with the next wake."""
        stopped = await self.step()
        if stopped is not None:
            raise stopped

    async def step(self) -> Exception | None:
        """Every import that waits, to its end, one after the other; what stopped one of them."""
        async with self._sessions() as session:
            keys = await jobs.waiting(session, JOBS_MAX)
        stopped = None
        for key in keys:
            try:
                await self._import(key)
            except Exception as error:
                # What is done is recorded, and what is left is tried again: nobody waits for it.
                log.warning("imports.import_failed", operation=key[1], error=repr(error))
                stopped = error
        return stopped

    async def _import(self, key: Key) -> None:
        async with self._sessions() as session:
            row = await jobs.get(session, key)
        if row is None:
            return
        position = jobs.outcome(row).read_count
        async with opening.opened(self._files, row) as file:
            lines = islice(reading.lines(file), position, None)
            while await self.chunk(key, position, lines):
                position += self._lines_max
                await asyncio.sleep(0)

    async def chunk(self, key: Key, position: int, lines: Iterator[Line]) -> bool:
        """The next lines, of which the first is at `position`; false when there is no more to do
        here."""
        try:
            part = await in_thread(lambda: list(islice(lines, self._lines_max)))
        except Error as error:
            await self._stop(key, position, error)
            return False
        async with self._sessions.begin() as session:
            await locks.hold(session, key[0])
            row = await jobs.at(session, key, position)
            if row is None:
                return False
            try:
                await _check_list(session, row)
            except Error as error:
                await works.fail(session, row, error)
                return False
            if not await jobs.move_on(session, row, await taking.take(session, row, part)):
                return False
            if len(part) < self._lines_max:
                await works.succeed(session, row, jobs.outcome(row))
            return len(part) == self._lines_max

    async def _stop(self, key: Key, position: int, error: Error) -> None:
        """The file cannot be read on: for now, if the store is away, else for good."""
        async with self._sessions.begin() as session:
            row = await jobs.at(session, key, position)
            if row is None:
                return
            may_pass = jobs.may_pass(row, error)
            if not may_pass:
                await works.fail(session, row, error)
        if may_pass:
            raise error


async def _check_list(session: AsyncSession, row: OptedOutImportRow) -> None:
    """Refuse (OPT_OUT_LIST_NOT_FOUND) a list that is gone meanwhile."""
    await lists.get_list(session, names.opt_out_list(row.application, row.opt_out_list))
