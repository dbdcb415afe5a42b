"""Connections to the ledger: the lock on a batch, and writes that outlast a restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias, TypeVar

import asyncpg
from mesh.backoff import Backoff
from mesh.store import failures
from mesh.telemetry import logging

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Result = TypeVar("Result")

_log = logging.get(__name__)

PERSIST_SECONDS = 60.0
BACKOFF = Backoff(first_seconds=0.05, max_seconds=2.0)


_LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended($1, 0))"


@asynccontextmanager
async def batch_lock(pool: Pool, batch_id: str) -> AsyncIterator[Any]:
    """A connection that holds the lock on the batch meanwhile; None when a worker has it.

    The lock goes with its connection, so that of a dead worker is free: a row that is still
    `HANDING` under a free lock was left so.
    """
    async with pool.acquire() as connection:
        if not await connection.fetchval(_LOCK, batch_id):
            yield None
            return
        try:
            yield connection
        finally:
            await _unlock(connection, batch_id)


async def persist(
    pool: Pool, write: Callable[[Any], Awaitable[Result]], *, atomic: bool = False
) -> Result:
    """Runs `write`, again and again while the database is away or in our way.

    For what must not be forgotten, as it cannot be found out again: what a provider answered.
    `atomic` wraps it in a transaction, for more than one statement.
    """
    deadline = asyncio.get_running_loop().time() + PERSIST_SECONDS
    attempt = 0
    while True:
        attempt += 1
        try:
            async with pool.acquire() as connection:
                if not atomic:
                    return await write(connection)
                async with connection.transaction():
                    return await write(connection)
        except Exception as error:
            late = asyncio.get_running_loop().time() > deadline
            if late or not failures.is_transient(error):
                raise
            _log.warning("ledger.write_again", error=repr(error))
        await asyncio.sleep(BACKOFF.after(attempt))


async def _unlock(connection: Any, batch_id: str) -> None:
    """A connection that cannot say so, for whatever reason, is ended, and its lock with it."""
    try:
        await connection.execute(_UNLOCK, batch_id)
    except Exception:
        _terminate(connection)
    except asyncio.CancelledError:
        _terminate(connection)
        raise


def _terminate(connection: Any) -> None:
    """One that the server has ended may be back in the pool already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()
