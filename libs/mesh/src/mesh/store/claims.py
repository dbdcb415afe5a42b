"""Work that one worker at a time may do, and that is free at once when its worker dies.

A claim is a lock that belongs to the worker's connection, and not to a transaction: long work holds
it without holding a snapshot.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from mesh.store import engine

CONNECT_TIMEOUT_SECONDS: Final = 10
STATEMENT_TIMEOUT_SECONDS: Final = 30.0

_TAKE: Final = "SELECT pg_try_advisory_lock($1)"
_GIVE_BACK: Final = "SELECT pg_advisory_unlock($1)"


class Claims:
    """The claims of one worker, on a connection of its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def take(self, kind: str, *ids: str) -> bool:
        """Whether the work of that kind and these ids is the worker's from now on."""
        return bool(await self._connection.fetchval(_TAKE, _key(kind, *ids)))

    async def give_back(self, kind: str, *ids: str) -> None:
        """Let others do it."""
        await self._connection.execute(_GIVE_BACK, _key(kind, *ids))


@asynccontextmanager
async def opened(database_url: str, application_name: str) -> AsyncIterator[Claims]:
    """A connection for claims; all of them end with it."""
    connection = await asyncpg.connect(
        database_url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        server_settings=engine.limits(STATEMENT_TIMEOUT_SECONDS, 0, application_name),
    )
    try:
        yield Claims(connection)
    finally:
        await connection.close()


def _key(*words: str) -> int:
    digest = hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
