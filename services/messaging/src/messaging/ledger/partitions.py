"""The ledger's daily partitions: made ahead of time and on demand, dropped after their time."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import asyncpg
from mesh.errors import InvalidArgument
from mesh.telemetry import logging

from messaging.ledger.statements import partition

_log = logging.get(__name__)

DAYS_AHEAD = 2
FILLFACTOR = 50
"""Room in each page for a second version of its rows, so that updates stay HOT."""

LOCK = 0x6C6564676572
"""Advisory lock of whoever makes or drops partitions; the letters "ledger"."""

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


class Partitions:
    """Knows which days exist; any number of replicas may make them at the same time."""

    def __init__(self, pool: Pool, retention_days: int) -> None:
        self._pool = pool
        self._retention_days = retention_days
        self._known: set[date] = set()
        self._making = asyncio.Lock()

    async def ensure(self, day: date, now: datetime | None = None) -> None:
        """Makes the day's partition if it is not there.

        Raises InvalidArgument with reason `SOURCE_TIME_INVALID` for a day that lies further back
        than the ledger reaches, or in the future: its partition would be dropped, or never used.
        """
        if day in self._known:
            return
        today = (now or datetime.now(UTC)).date()
        if not today - timedelta(days=self._retention_days) <= day <= _ahead(today):
            raise InvalidArgument(
                "SOURCE_TIME_INVALID", f"the ledger has no place for {day}", day=day.isoformat()
            )
        async with self._making:
            if day not in self._known:
                await self._create(day)
                self._known.add(day)

    async def prepare(self, now: datetime) -> None:
        """Makes the partitions of the next days, and drops those whose time is over."""
        for offset in range(DAYS_AHEAD + 1):
            await self.ensure(now.date() + timedelta(days=offset), now)
        await self._drop_before(now.date() - timedelta(days=self._retention_days))

    async def _create(self, day: date) -> None:
        name = partition(day)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            if await connection.fetchval("SELECT to_regclass($1)", name) is not None:
                return
            # Made apart and then attached: PARTITION OF would lock the whole ledger.
            await connection.execute(
                f"CREATE TABLE {name} (LIKE messages INCLUDING ALL) WITH (fillfactor={FILLFACTOR})"
            )
            await connection.execute(
                f"ALTER TABLE messages ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
            )
            _log.info("ledger.partition_made", day=day.isoformat())

    async def _drop_before(self, oldest: date) -> None:
        async with self._pool.acquire() as connection:
            names = await connection.fetch(
                "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
                "WHERE inhparent = 'messages'::regclass"
            )
            for name in sorted(row["name"] for row in names):
                if name < partition(oldest):
                    await connection.execute(f"DROP TABLE IF EXISTS {name}")
                    _log.info("ledger.partition_dropped", partition=name)


def _ahead(today: date) -> date:
    return today + timedelta(days=DAYS_AHEAD)
