"""Deleting what is too old, a few thousand rows at a time.

Any number of replicas may do it at once: each takes rows that no other has, and no lock is held for
longer than one batch.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mesh import worker
from mesh.backoff import Backoff
from mesh.telemetry import logging
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

ROWS_MAX: Final = 2_000
"""In one batch: some tens of milliseconds."""

INTERVAL_SECONDS: Final = 3600.0
RETRIES_AN_INTERVAL: Final = 60
"""At first; then they become fewer."""

PAUSE_SECONDS: Final = 0.1
"""Between two batches, so that others get at the disk."""

PURGED: Final = Counter(
    "heliograph_purged_rows_total", "Rows deleted because they were too old", ["table"]
)

# The rows are found once, before the deletion: as a join they could be looked for again and again,
# each time with a new limit.
_DELETE: Final = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE {condition} LIMIT {rows_max} FOR UPDATE SKIP LOCKED
))
"""

_log = logging.get(__name__)

Sessions = async_sessionmaker[AsyncSession]


@dataclass(frozen=True)
class Purge:
    """The rows of `table` that meet `condition`, in SQL, in which `:before` is now less `kept`.

    The table is not partitioned, and has an index by which the condition finds old rows.
    """

    table: str
    condition: str
    kept: timedelta

    async def batch(self, session: AsyncSession, now: datetime) -> int:
        """Delete at most `ROWS_MAX` rows that nobody has locked; how many they were."""
        statement = _DELETE.format(table=self.table, condition=self.condition, rows_max=ROWS_MAX)
        connection = await session.connection()
        deleted = await connection.execute(text(statement), {"before": now - self.kept})
        return deleted.rowcount


async def step(sessions: Sessions, purges: Sequence[Purge], now: datetime) -> int:
    """One batch of each, in this order, each in a transaction of its own; the rows deleted."""
    total = 0
    for purge in purges:
        async with sessions.begin() as session:
            deleted = await purge.batch(session, now)
        PURGED.labels(purge.table).inc(deleted)
        total += deleted
    return total


async def run(
    sessions: Sessions,
    purges: Sequence[Purge],
    now: Callable[[], datetime],
    *,
    interval_seconds: float = INTERVAL_SECONDS,
) -> None:
    """Purge until cancelled: what is too old now, and after each interval what has become so."""

    async def purge() -> None:
        purged = 0
        while deleted := await step(sessions, purges, now()):
            purged += deleted
            await asyncio.sleep(PAUSE_SECONDS)
        if purged:
            _log.info("purged", rows=purged)

    # Nothing depends on it, and what is left is found again.
    backoff = Backoff(interval_seconds / RETRIES_AN_INTERVAL, interval_seconds)
    await worker.run("purging", purge, poll_seconds=interval_seconds, backoff=backoff)
