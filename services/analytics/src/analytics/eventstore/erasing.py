"""Erasing events from ClickHouse, where a deletion rewrites parts and takes its time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from mesh.errors import Unavailable

from analytics.eventstore.client import EventStore

TABLES: Final = ("events", "message_events")
POLL_SECONDS: Final = 0.25
WAIT_SECONDS: Final = 600.0
"""For one table; what takes longer goes on by itself, and is waited for again."""

_COUNT: Final = "SELECT count() AS rows FROM {table} WHERE application = {{application:String}}"
_DELETE: Final = "ALTER TABLE {table} DELETE WHERE application = {{application:String}}"
_BUSY: Final = """
SELECT count() AS rows FROM system.mutations
WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done
"""

Note = Callable[[str, int], Awaitable[None]]
"""Told of each table, and of how many of its rows go, before they do."""


async def erase_application(store: EventStore, application: str, note: Note) -> int:
    """Erase what the store has of an application; returns once it is gone, with the rows found.

    Raises Unavailable when the store is away, or has not done it in time.
    """
    total = 0
    for table in TABLES:
        rows = await _count(store, table, application)
        if rows:
            await note(table, rows)
            await _delete(store, table, application)
        total += rows
    return total


async def _delete(store: EventStore, table: str, application: str) -> None:
    """One deletion at a time: what is under way may be this one, begun before a crash."""
    for attempt in range(int(WAIT_SECONDS / POLL_SECONDS)):
        (busy,) = await store.query(_BUSY, {"table": table})
        if not busy["rows"]:
            if attempt and not await _count(store, table, application):
                return
            await store.command(_DELETE.format(table=table), {"application": application})
        await asyncio.sleep(POLL_SECONDS)
    raise Unavailable("EVENTS_NOT_ERASED", f"{table} is still being rewritten", table=table)


async def _count(store: EventStore, table: str, application: str) -> int:
    (found,) = await store.query(_COUNT.format(table=table), {"application": application})
    return int(found["rows"])
