"""A plain asyncpg pool, for COPY, `unnest` and server-side cursors over thousands of rows."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson
from mesh.store import engine

CONNECT_TIMEOUT_SECONDS = 10

JSONB_VERSION = b"\x01"
"""Every jsonb value in binary format begins with it."""


def create(
    database_url: str,
    *,
    max_size: int = 10,
    min_size: int = 0,
    statement_timeout_seconds: float = 60.0,
    lock_timeout_seconds: float = 4.0,
    application_name: str = "",
    reset: bool = True,
    server_settings: Mapping[str, str] | None = None,
) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool to be entered with `async with` (or awaited, then closed).

    `statement_timeout_seconds` is longer than an engine's, as bulk statements take longer; it also
    bounds each page of a cursor, not the cursor. JSON columns take text and give Python values, as
    through `engine.raw`.

    Without `reset` a connection goes back as it is, which saves a round trip each time: for callers
    that leave neither settings nor session locks behind. `server_settings` are further settings
    of each session.
    """
    return asyncpg.create_pool(
        database_url,
        min_size=min_size,
        max_size=max_size,
        timeout=CONNECT_TIMEOUT_SECONDS,
        init=_set_json_codecs,
        reset=None if reset else _as_it_is,
        server_settings={
            **engine.limits(statement_timeout_seconds, lock_timeout_seconds, application_name),
            **(server_settings or {}),
        },
    )


async def _as_it_is(connection: Any) -> None:
    """What a connection is left with when it is not reset."""


async def _set_json_codecs(connection: Any) -> None:
    """What SQLAlchemy sets, in binary, so that COPY takes JSON too."""
    await connection.set_type_codec(
        "json",
        encoder=str.encode,
        decoder=orjson.loads,
        schema="pg_catalog",
        format="binary",
    )
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda json: JSONB_VERSION + json.encode(),
        decoder=lambda value: orjson.loads(value[1:]),
        schema="pg_catalog",
        format="binary",
    )
