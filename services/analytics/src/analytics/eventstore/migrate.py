"""The event store's schema: numbered SQL files, each applied once, in order.

ClickHouse has no transactions for schemas, so every statement may be run again (`IF NOT EXISTS`):
two that migrate at once, or one that was interrupted, come to the same end.
"""

import re
from collections.abc import Iterator
from importlib.resources import files

from analytics.eventstore.client import EventStore

_NUMBERED = re.compile(r"(\d{4})_(\w+)\.sql")
_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations
(number UInt32, name String, apply_time DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
ENGINE = ReplacingMergeTree ORDER BY number
"""


async def migrate(store: EventStore) -> list[str]:
    """Create the database if need be and apply what is missing; the names of what was applied.

    Raises Unavailable with reason `EVENT_STORE_UNAVAILABLE` when the store cannot be reached.
    """
    await store.create_database()
    await store.command(_HISTORY)
    rows = await store.query("SELECT number FROM schema_migrations FINAL")
    known = {row["number"] for row in rows}
    applied = []
    for number, name, text in migrations():
        if number in known:
            continue
        for statement in statements(text):
            await store.command(statement)
        await store.command(
            f"INSERT INTO schema_migrations (number, name) SELECT {number}, '{name}'"
        )
        applied.append(f"{number:04}_{name}")
    return applied


def migrations() -> Iterator[tuple[int, str, str]]:
    """Number, name and text of every file, in order."""
    folder = files("analytics.eventstore") / "migrations"
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if found := _NUMBERED.fullmatch(path.name):
            yield int(found.group(1)), found.group(2), path.read_text()


def statements(text: str) -> list[str]:
    """The statements of a file. A semicolon ends one only at the end of a line."""
    return [part.strip() for part in re.split(r";\s*(?:\n|$)", text) if part.strip()]
