"""A plain asyncpg pool, for COPY, `unnest` and server-side cursors over thousands of rows."""

import asyncpg
from mesh.store import engine

CONNECT_TIMEOUT_SECONDS = 10


def create(
    database_url: str,
    *,
    max_size: int = 10,
    min_size: int = 0,
    statement_timeout_seconds: float = 60.0,
    lock_timeout_seconds: float = 4.0,
    application_name: str = "",
) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool to be entered with `async with` (or awaited, then closed).

    `statement_timeout_seconds` is longer than an engine's, as bulk statements take longer; it also
    bounds each page of a cursor, not the cursor. JSON columns take and give text.
    """
    return asyncpg.create_pool(
        database_url,
        min_size=min_size,
        max_size=max_size,
        timeout=CONNECT_TIMEOUT_SECONDS,
        server_settings=engine.limits(
            statement_timeout_seconds, lock_timeout_seconds, application_name
        ),
    )
