"""One removal from the last row it has seen to the end, a page and a transaction at a time.

A page holds the lock of its application, as writers read endpoints before they write them. The
time of the last write stays: a removal says nothing about how recent an endpoint is.
"""

from typing import Any, Final, NamedTuple

from heliograph.audience.v1.endpoint_service_pb2 import RemoveAttributesRequest
from mesh.aip import works
from mesh.errors import Error
from mesh.store import engine, failures
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.endpoints import locks
from audience.removals import globs, jobs
from audience.tables import AttributeRemovalRow
from audience.transfers.worker import Kind

PAGE_ROWS: Final = 2000
ATTEMPTS_MAX: Final = 5

# A page is read along the key, whatever a table without statistics seems to make cheaper.
_PLAN: Final = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)
"""

_NAMES: Final = """
WITH page AS MATERIALIZED (
    SELECT {key} AS key, {column} AS held FROM {table}
    WHERE application = $1 AND {key} > $2 ORDER BY {key} LIMIT $3
)
SELECT (SELECT max(key) FROM page), (SELECT count(*) FROM page),
    ARRAY(SELECT DISTINCT jsonb_object_keys(held) FROM page)
"""

_REMOVE: Final = """
UPDATE {table} SET {column} = {column} - $4::text[], revision = revision + 1
WHERE application = $1 AND {key} > $2 AND {key} <= $3 AND {column} ?| $4::text[]
"""


class _Place(NamedTuple):
    """Where attributes of a kind are."""

    table: str
    key: str
    column: str


_PLACES: Final[dict[int, _Place]] = {
    RemoveAttributesRequest.ATTRIBUTES: _Place("endpoint", "endpoint", "attributes"),
    RemoveAttributesRequest.METRICS: _Place("endpoint", "endpoint", "metrics"),
    RemoveAttributesRequest.USER_ATTRIBUTES: _Place("user_profile", "user_id", "attributes"),
}


class Removing:
    """Does removals, one at a time; the caller holds the removal's lock."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], *, page_rows: int = PAGE_ROWS
    ) -> None:
        self._sessions = sessions
        self._page_rows = page_rows

    async def run(self, application: str, operation: str) -> None:
        """Bring a removal to its end, or raise what may pass."""
        try:
            while await self.step(application, operation):
                pass
        except Exception as error:
            if failures.is_transient(error) or await self._goes_on(application, operation):
                raise

    async def step(self, application: str, operation: str) -> bool:
        """Do one page; false when there is nothing left to do."""
        async with self._sessions.begin() as session:
            row = await jobs.get(session, application, operation)
            if row is None:
                return False
            connection = await engine.raw(session)
            await locks.lock_application(connection, application)
            await connection.execute(_PLAN)
            scanned, changed, removed = await self._page(connection, row)
            if not await jobs.move_on(session, row, scanned, changed, removed):
                return False
            if scanned < self._page_rows:
                await jobs.succeed(session, row)
            return scanned == self._page_rows

    async def _page(self, connection: Any, row: AttributeRemovalRow) -> tuple[int, int, set[str]]:
        """Rows seen, rows changed, and names removed."""
        place = _PLACES[row.kind]._asdict()
        last, scanned, held = await connection.fetchrow(
            _NAMES.format(**place), row.application, row.last, self._page_rows
        )
        removed = {
            name for name in held if any(globs.matches(pattern, name) for pattern in row.patterns)
        }
        changed = 0
        if removed:
            answer = await connection.execute(
                _REMOVE.format(**place), row.application, row.last, last, sorted(removed)
            )
            changed = int(answer.rpartition(" ")[2])
        row.last = last or row.last
        return scanned, changed, removed

    async def _goes_on(self, application: str, operation: str) -> bool:
        """Whether a removal that failed is worth another attempt; else it has ended."""
        async with self._sessions.begin() as session:
            row = await jobs.get(session, application, operation)
            if row is None:
                return False
            row.attempts += 1
            if row.attempts < ATTEMPTS_MAX:
                return True
            message = f"the removal failed {ATTEMPTS_MAX} times after {row.last!r}"
            await works.fail(session, row, Error("REMOVAL_ABANDONED", message, last=row.last))
            return False


def kind(sessions: async_sessionmaker[AsyncSession], *, page_rows: int = PAGE_ROWS) -> Kind:
    """Removals, for a worker."""
    removing = Removing(sessions, page_rows=page_rows)
    return Kind("removal", jobs.CHANNEL, jobs.waiting, removing.run)
