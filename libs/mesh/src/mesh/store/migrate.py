"""Alembic, called from Python: one history per service, inside its package.

A service's `migrations/env.py` is three lines:

    from audience.tables import metadata
    from mesh.store import migrate
    migrate.run_env(metadata)
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from mesh.store import engine, urls
from mesh.store.schema import assert_matches, describe
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

__all__ = ["assert_matches", "describe", "run_env", "upgrade"]

LOCK_TIMEOUT_SECONDS = 4.0
"""A migration that waits for a table blocks everyone behind it, so it gives up soon."""

STATEMENT_TIMEOUT_SECONDS = 300.0
"""Backfills and `CREATE INDEX CONCURRENTLY` take their time without blocking anyone."""

TURN_TIMEOUT_SECONDS = 600.0
TURN_POLL_SECONDS = 0.1


async def upgrade(database_url: str, script_location: str | Path, to: str = "head") -> None:
    """Migrate the database; replicas that start together take turns, and find it done.

    Raises TimeoutError when another process has been migrating for ten minutes.
    """
    async with _connection(database_url) as connection, _turn(connection, script_location):
        await connection.run_sync(_upgrade, script_location, to)


def run_env(*metadata: MetaData) -> None:
    """The body of env.py: runs what Alembic asks for on the connection that `upgrade` made.

    Called by the `alembic` command itself, as for `alembic revision --autogenerate`, it connects to
    `sqlalchemy.url` of that command's configuration.
    """
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _run(connection, metadata)
        return
    asyncio.run(_run_alone(context.config, metadata))


def _upgrade(connection: Connection, script_location: str | Path, to: str) -> None:
    config = Config(attributes={"connection": connection})
    # The path goes through Alembic's interpolation, where a percent sign is special.
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    command.upgrade(config, to)


def _run(connection: Connection, metadata: tuple[MetaData, ...]) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run_alone(config: Config, metadata: tuple[MetaData, ...]) -> None:
    database_url = config.get_main_option("sqlalchemy.url")
    if not database_url:
        raise ValueError("sqlalchemy.url is not set: say which database to look at")
    async with _connection(database_url) as connection:
        await connection.run_sync(_run, metadata)


@asynccontextmanager
async def _connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    limits = engine.limits(STATEMENT_TIMEOUT_SECONDS, LOCK_TIMEOUT_SECONDS, "migrate")
    async_engine = create_async_engine(
        urls.for_sqlalchemy(database_url),
        poolclass=NullPool,
        connect_args={"server_settings": limits},
    )
    try:
        async with async_engine.connect() as connection:
            yield connection
            await connection.commit()
    finally:
        await async_engine.dispose()


@asynccontextmanager
async def _turn(connection: AsyncConnection, script_location: str | Path) -> AsyncIterator[None]:
    """Hold the advisory lock of this history.

    It is tried again and again instead of waited for: a statement that waits holds a snapshot, and
    a `CREATE INDEX CONCURRENTLY` of the lock's holder would wait for that snapshot for ever.
    """
    key = {"key": zlib.crc32(f"migrate {Path(script_location).parent.name}".encode())}
    async with asyncio.timeout(TURN_TIMEOUT_SECONDS):
        while True:
            if await _scalar(connection, "SELECT pg_try_advisory_lock(:key)", key):
                break
            await asyncio.sleep(TURN_POLL_SECONDS)
    try:
        yield
    finally:
        await connection.rollback()
        await _scalar(connection, "SELECT pg_advisory_unlock(:key)", key)


async def _scalar(connection: AsyncConnection, statement: str, values: dict[str, int]) -> object:
    value = await connection.scalar(text(statement), values)
    await connection.commit()
    return value
