"""Work that one worker at a time may do, and that is free at once when its worker dies.

A claim is a lock that belongs to the worker's connection, and not to a transaction: long work holds
it without holding a snapshot.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import asyncpg
from mesh.store import engine

CONNECT_TIMEOUT_SECONDS: Final = 10
STATEMENT_TIMEOUT_SECONDS: Final = 30.0

_TAKE: Final = "SELECT pg_try_advisory_lock($1)"

Key: TypeAlias = tuple[str, str]
"""An application and the id of a piece of work."""


@asynccontextmanager
async def first(
    database_url: str, kind: str, waiting: Sequence[Key], application_name: str
) -> AsyncIterator[Key | None]:
    """The first of what waits that no other worker is at, the caller's alone until the end; None
    when there is none. Work of another kind may have the same keys."""
    if not waiting:
        yield None
        return
    connection = await asyncpg.connect(
        database_url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        server_settings=engine.limits(STATEMENT_TIMEOUT_SECONDS, 0, application_name),
    )
    try:
        yield await _taken(connection, kind, waiting)
    finally:
        await connection.close()


async def _taken(connection: Any, kind: str, waiting: Sequence[Key]) -> Key | None:
    for key in waiting:
        if await connection.fetchval(_TAKE, _number(kind, *key)):
            return key
    return None


def _number(*words: str) -> int:
    digest = hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
