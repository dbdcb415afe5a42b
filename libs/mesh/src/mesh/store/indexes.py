"""Indexes that are built while the previous release goes on writing."""

from typing import Any


def create(op: Any, name: str, definition: str) -> None:
    """Make an index, as `table (column) WHERE …`; `op` is alembic's, outside a transaction.

    One of that name is what an interrupted migration left behind, and not valid. It waits for all
    who are writing to the table, as long as a statement may last: nobody has to wait for it.
    """
    op.execute("SET lock_timeout = 0")
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")
    op.execute("RESET lock_timeout")


def drop(op: Any, *names: str) -> None:
    """Undo `create`."""
    for name in names:
        op.execute(f"DROP INDEX IF EXISTS {name}")
