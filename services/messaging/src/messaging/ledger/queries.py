"""Reading the ledger: one message, pages of them, and a run's counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from heliograph.message_ids import day_of

from messaging import addresses
from messaging.ledger.persistence import Pool
from messaging.ledger.rows import SELECTED, Row, of_record

_GET = f"""
SELECT {SELECTED} FROM messages WHERE application = $1 AND day = $2 AND message_id = $3
"""  # columns of our own

_COUNT = """
SELECT treatment, state, reason, count(*) AS count, sum(parts) AS parts
FROM messages WHERE application = $1 AND run = $2 AND run <> ''
GROUP BY treatment, state, reason
"""
# All of a run is read, so page by page, and counted without putting it in order: half the time.
_COUNTING = "SET LOCAL enable_indexscan = off; SET LOCAL enable_sort = off"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; empty fields narrow nothing."""

    endpoint_id: str = ""
    run: str = ""
    address: str = ""
    user_id: str = ""
    states: Sequence[int] = ()
    reasons: Sequence[int] = ()
    start_time: datetime | None = None
    end_time: datetime | None = None
    before: UUID | None = None
    """Only messages with smaller ids: the page after this one."""

    @property
    def selective(self) -> bool:
        """Whether an index finds what is meant."""
        return bool(self.endpoint_id or self.run or self.address or self.user_id)


@dataclass(slots=True)
class _Where:
    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, value: Any) -> None:
        """Adds a condition, its value written as `?`."""
        self.values.append(value)
        self.conditions.append(condition.replace("?", f"${len(self.values)}"))


async def get(connection: Any, application: str, message_id: UUID) -> Row | None:
    """One message."""
    record = await connection.fetchrow(_GET, application, day_of(message_id), message_id)
    return of_record(record) if record else None


async def find(connection: Any, application: str, narrowed: Filter, limit: int) -> list[Row]:
    """Messages, newest first: ids begin with the time of their source."""
    where = _where(application, narrowed)
    where.values.append(limit)
    # Found first, then put in order: an index in the right order would be read to its end.
    fence = "MATERIALIZED" if narrowed.selective else "NOT MATERIALIZED"
    statement = (
        f"WITH found AS {fence} "
        f"(SELECT day, {SELECTED} FROM messages WHERE {' AND '.join(where.conditions)}) "
        f"SELECT * FROM found ORDER BY day DESC, message_id DESC LIMIT ${len(where.values)}"
    )
    return [of_record(record) for record in await connection.fetch(statement, *where.values)]


async def count(pool: Pool, application: str, run: str) -> list[Any]:
    """A run's messages: treatment, state, reason, count, parts."""
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(_COUNTING)
        found = await connection.fetch(_COUNT, application, run)
    return sorted(found, key=lambda one: (one["treatment"], one["state"], one["reason"]))


def _where(application: str, narrowed: Filter) -> _Where:
    where = _Where()
    where.add("application = ?", application)
    if narrowed.address:
        where.add("address_digest = ? AND address <> ''", addresses.digest(narrowed.address))
    for column in ("endpoint_id", "run", "user_id"):
        value = getattr(narrowed, column)
        if value:
            # The index leaves out rows without one, and has to be told so.
            where.add(f"{column} = ? AND {column} <> ''", value)
    if narrowed.states:
        where.add("state = ANY(?::smallint[])", list(narrowed.states))
    if narrowed.reasons:
        where.add("reason = ANY(?::smallint[])", list(narrowed.reasons))
    if narrowed.start_time is not None:
        where.add("create_time >= ?", narrowed.start_time)
    if narrowed.end_time is not None:
        where.add("create_time < ?", narrowed.end_time)
    if narrowed.before is not None:
        where.add("day <= ?", day_of(narrowed.before))
        where.add("message_id < ?", narrowed.before)
    return where
