"""Indexes that are built while the previous release goes on writing."""

from typing import Any


def create(op: Any, name: str, definition: str) -> None:
    """Make an index, as `table (column) WHERE …`; `op` is alembic's, outside a transaction.

    One of that name is what an interrupted migration left behind, and not valid.
    """
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")


def drop(op: Any, *names: str) -> None:
    """Undo `create`."""
    for name in names:
        op.execute(f"DROP INDEX IF EXISTS {name}")
