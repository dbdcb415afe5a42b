"""The loop that takes imports in, a thousand lines to a transaction.

How far an import is commits with what it did, so that another process goes on where one died, and
no line counts twice. Any number of replicas may do so: of two at the same lines one gives way.
"""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice

from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import Error
from mesh.store import engine
from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, locks, names
from twoway.consent import store as lists
from twoway.consent import writing
from twoway.consent.changes import IMPORT, Cause, Changes
from twoway.imports import jobs, reading
from twoway.imports.jobs import Key
from twoway.imports.reading import Line
from twoway.imports.tables import OptedOutImportRow
from twoway.wakeups import Wakeups

log = logging.get(__name__)

LINES_MAX = 1_000
"""Lines to a transaction, which texts that come in wait for."""

REFUSALS_MAX = 1_000
JOBS_MAX = 16

_PRESENT = """
SELECT phone_number FROM opted_out_numbers
WHERE application = $1 AND opt_out_list = $2 AND phone_number = ANY($3::text[])
"""


class Importer:
    """Takes in the imports that wait."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        wakeups: Wakeups,
        *,
        lines_max: int = LINES_MAX,
    ) -> None:
        self._sessions = sessions
        self._wakeups = wakeups
        self._lines_max = lines_max

    async def run(self) -> None:
        """Import until cancelled."""
        while True:
            ticket = self._wakeups.ticket()
            try:
                await self.step()
            except Exception:
                # What is done is recorded, so that going on is all there is to do.
                log.exception("imports.step_failed")
            await self._wakeups.wait(ticket)

    async def step(self) -> None:
        """Every import that waits, to its end, one after the other."""
        async with self._sessions() as session:
            keys = await jobs.waiting(session, JOBS_MAX)
        for key in keys:
            async with self._sessions() as session:
                row = await jobs.get(session, key)
            if row is None:
                continue
            position = jobs.outcome(row).read_count
            lines = islice(reading.read(row.content), position, None)
            while await self.chunk(key, position, lines):
                position += self._lines_max
                await asyncio.sleep(0)

    async def chunk(self, key: Key, position: int, lines: Iterator[Line]) -> bool:
        """The next lines, of which the first is at `position`; false when there is no more to do
        here."""
        async with self._sessions.begin() as session:
            await locks.hold(session, key[0])
            row = await jobs.get(session, key, lock=True)
            if row is None or jobs.outcome(row).read_count != position:
                return False
            try:
                part = list(islice(lines, self._lines_max))
                await _check_list(session, row)
            except Error as error:
                await jobs.fail(session, row, error)
                return False
            if not await jobs.move_on(session, row, await _take(session, row, part)):
                return False
            if len(part) < self._lines_max:
                await jobs.succeed(session, row)
            return len(part) == self._lines_max


async def _check_list(session: AsyncSession, row: OptedOutImportRow) -> None:
    """Refuse (OPT_OUT_LIST_NOT_FOUND) a list that is gone meanwhile."""
    await lists.get_list(session, names.opt_out_list(row.application, row.opt_out_list))


async def _take(
    session: AsyncSession, row: OptedOutImportRow, part: Sequence[Line]
) -> pb.ImportOptedOutNumbersResponse:
    """Opt the numbers out; what the import has come to."""
    so_far = jobs.outcome(row)
    refused = [line for line in part if line.refusal]
    wanted = {line.number: line for line in reversed(part) if not line.refusal}
    connection = await engine.raw(session)
    found = await connection.fetch(_PRESENT, row.application, row.opt_out_list, list(wanted))
    for record in found:
        del wanted[record[0]]
    changes = _changes(row, list(wanted.values()))
    await writing.write(session, changes)
    so_far.read_count += len(part)
    so_far.opted_out_count += len(wanted)
    so_far.refused_count += len(refused)
    so_far.present_count += len(part) - len(refused) - len(wanted)
    for line in refused[: REFUSALS_MAX - len(so_far.refusals)]:
        so_far.refusals.add(line=line.line, reason=line.refusal)
    return so_far


def _changes(row: OptedOutImportRow, lines: Sequence[Line]) -> Changes:
    """The opt-outs. The record says when they were imported, the list since when they hold: who
    compares the record with what was before must find this later."""
    changes = Changes(row.application)
    cause = Cause(IMPORT, clock.now(), caller=row.caller, comment=row.comment)
    for line in lines:
        person = (row.opt_out_list, line.number)
        placed = changes.opt_out(person, cause, confirmed=line.end_user_opted_out)
        if line.opt_out_time is not None:
            placed.opt_out_time = min(line.opt_out_time, cause.time)
    return changes
