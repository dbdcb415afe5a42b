"""Many rows in one statement, through asyncpg."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import SQLModel

# PostgreSQL types of columns by what Python calls them; arrays and JSON do not go this way.
_ARRAYS: dict[Any, str] = {
    str: "text[]",
    bool: "boolean[]",
    int: "integer[]",
    datetime: "timestamptz[]",
}


async def insert(connection: Any, rows: Sequence[SQLModel], *, conflict: str = "") -> None:
    """Insert rows of one table; `conflict` is what stands after ON CONFLICT."""
    if not rows:
        return
    fields = type(rows[0]).model_fields
    arrays = ", ".join(
        f"${position}::{_ARRAYS[field.annotation]}"
        for position, field in enumerate(fields.values(), start=1)
    )
    on_conflict = f" ON CONFLICT {conflict}" if conflict else ""
    await connection.execute(
        f"INSERT INTO {rows[0].__tablename__} ({', '.join(fields)})"
        f" SELECT * FROM unnest({arrays}){on_conflict}",
        *([getattr(row, name) for row in rows] for name in fields),
    )


def overwriting(row_class: type[SQLModel], *key: str) -> str:
    """The ON CONFLICT clause by which the new row replaces the old one."""
    changed = [name for name in row_class.model_fields if name not in key]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return f"({', '.join(key)}) DO UPDATE SET {assignments}"
