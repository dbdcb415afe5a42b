"""Erasing events from ClickHouse, where a deletion rewrites parts and takes its time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from mesh.errors import Unavailable

from analytics.eventstore.client import EventStore

TABLES: Final = ("events", "message_events")
POLL_SECONDS: Final = 0.25
WAIT_SECONDS: Final = 600.0

OF_APPLICATION: Final = "application = {application:String}"
_BUSY: Final = """
SELECT count() AS rows FROM system.mutations
WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done
"""

Note = Callable[[str, int], Awaitable[None]]
"""Told of each table, and of how many of its rows go, before they do."""


async def erase_application(
    store: EventStore, application: str, note: Note, *, wait_seconds: float = WAIT_SECONDS
) -> int:
    """Erase what the store has of an application; returns once it is gone, with the rows found.

    Raises Unavailable when the store is away, or has not done it in `wait_seconds` for a table:
    then it goes on by itself, and is waited for again.
    """
    total = 0
    values = {"application": application}
    for table in TABLES:
        total += await erase(store, table, OF_APPLICATION, values, note, wait_seconds=wait_seconds)
    return total


async def erase(
    store: EventStore,
    table: str,
    condition: str,
    values: Mapping[str, object],
    note: Note,
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> int:
    """Erase the rows of a table that meet a condition, as `erase_application` does."""
    rows = await _count(store, table, condition, values)
    if rows:
        await note(table, rows)
        await _delete(store, table, condition, values, wait_seconds)
    return rows


async def _delete(
    store: EventStore,
    table: str,
    condition: str,
    values: Mapping[str, object],
    wait_seconds: float,
) -> None:
    """One deletion at a time: what is under way may be this one, begun before a crash."""
    for attempt in range(int(wait_seconds / POLL_SECONDS)):
        (busy,) = await store.query(_BUSY, {"table": table})
        if not busy["rows"]:
            if attempt and not await _count(store, table, condition, values):
                return
            await store.command(f"ALTER TABLE {table} DELETE WHERE {condition}", values)
        await asyncio.sleep(POLL_SECONDS)
    raise Unavailable("EVENTS_NOT_ERASED", f"{table} is still being rewritten", table=table)


async def _count(
    store: EventStore, table: str, condition: str, values: Mapping[str, object]
) -> int:
    sql = f"SELECT count() AS rows FROM {table} WHERE {condition}"
    (found,) = await store.query(sql, values)
    return int(found["rows"])
