"""Erasing what a deleted application has, a few thousand rows at a time.

Each batch is one statement that also counts, so a crash loses nothing and the count stays true.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mesh.store import tombstones
from mesh.store.purging import ROWS_MAX
from mesh.store.tombstones import Sessions
from sqlalchemy import MetaData, text
from sqlmodel.ext.asyncio.session import AsyncSession

OF_APPLICATION: Final = "application = :application"

_ERASE: Final = """
WITH gone AS (
    DELETE FROM {partition} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM {partition} WHERE {condition} LIMIT {rows_max}
    ))
    RETURNING 1
), counted AS (SELECT count(*) AS rows FROM gone)
UPDATE tombstones SET erased_rows = erased_rows || jsonb_build_object(
    CAST(:table AS text), coalesce((erased_rows->>:table)::bigint, 0) + counted.rows)
FROM counted WHERE application = :application
RETURNING counted.rows
"""
_ERASE_UNCOUNTED: Final = """
WITH gone AS (
    DELETE FROM {partition} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM {partition} WHERE {condition} LIMIT {rows_max}
    ))
    RETURNING 1
)
SELECT count(*) FROM gone
"""
_NOTE: Final = text(
    """
UPDATE tombstones SET erased_rows = erased_rows || jsonb_build_object(
    CAST(:what AS text), greatest((erased_rows->>:what)::bigint, :rows))
WHERE application = :application
"""
)
_PARTITIONS: Final = text(
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)"
)


@dataclass(frozen=True)
class Rows:
    """The rows of a table that belong to an application, which is `:application` in SQL.

    Those that only keep the books, and hold nothing of anybody, are not `counted`.
    """

    table: str
    condition: str = OF_APPLICATION
    counted: bool = True


def rows_of(*metadata: MetaData) -> list[Rows]:
    """Everything with a column `application`, what refers to others before these."""
    return [
        Rows(table.name)
        for one in metadata
        for table in reversed(one.sorted_tables)
        if "application" in table.c and table.name != tombstones.TABLE
    ]


async def erase(sessions: Sessions, application: str, rows: Sequence[Rows]) -> int:
    """Erase what there is; how many rows it was."""
    total = 0
    for one in rows:
        for partition in await _partitions(sessions, one.table):
            while erased := await _batch(sessions, application, one, partition):
                total += erased
    return total


async def note(sessions: Sessions, application: str, what: str, rows: int) -> None:
    """Count what is erased elsewhere than in this database, before it is; the largest counts."""
    async with sessions.begin() as session:
        values = {"application": application, "what": what, "rows": rows}
        await (await session.connection()).execute(_NOTE, values)


async def _partitions(sessions: Sessions, table: str) -> list[str]:
    async with sessions() as session:
        found = await (await session.connection()).execute(_PARTITIONS, {"table": table})
        return sorted(name for (name,) in found) or [table]


async def _batch(sessions: Sessions, application: str, one: Rows, partition: str) -> int:
    erase = _ERASE if one.counted else _ERASE_UNCOUNTED
    statement = erase.format(partition=partition, condition=one.condition, rows_max=ROWS_MAX)
    values = {"application": application, **({"table": one.table} if one.counted else {})}
    async with sessions.begin() as session:
        return await _erased(session, statement, values)


async def _erased(session: AsyncSession, statement: str, values: dict[str, str]) -> int:
    erased = await (await session.connection()).execute(text(statement), values)
    return int(erased.scalar_one())
