"""SQLAlchemy's async engine on asyncpg; `sessions.begin()` is the unit of work."""

from typing import Any

import asyncpg
import orjson
from mesh.store import urls
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

CONNECT_TIMEOUT_SECONDS = 10


def create(
    database_url: str,
    *,
    pool_size: int = 10,
    overflow_max: int = 10,
    pool_timeout_seconds: float = 10.0,
    statement_timeout_seconds: float = 5.0,
    lock_timeout_seconds: float = 4.0,
    application_name: str = "",
) -> AsyncEngine:
    """An engine whose connections give up on slow statements and on locks held by others.

    A connection that the server has ended never leaves the pool, so a restart of the database costs
    no request that comes after it. Dispose of the engine when done: `await engine.dispose()`.
    """
    engine = create_async_engine(
        urls.for_sqlalchemy(database_url),
        pool_size=pool_size,
        max_overflow=overflow_max,
        pool_timeout=pool_timeout_seconds,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": limits(
                statement_timeout_seconds, lock_timeout_seconds, application_name
            ),
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_ended)
    return engine


def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions that keep their rows readable after the commit, as asyncio needs."""
    return async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


async def raw(session: AsyncSession) -> "asyncpg.Connection[asyncpg.Record]":
    """asyncpg's connection under the session, inside its transaction, for COPY and `unnest`.

    What is written through it commits and rolls back with the session. JSON columns take text and
    give Python values. Pending changes of the session are flushed first, so that both see the same
    rows.
    """
    await session.flush()
    connection = await session.connection()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    if not driver.is_in_transaction():
        # SQLAlchemy begins with the first statement that it sends itself.
        await connection.execute(text("SELECT 1"))
    return driver  # type: ignore[no-any-return]  # asyncpg has no stubs


def _refuse_ended(connection: Any, *_: object) -> None:
    """The event loop has heard of the end, so nobody is asked: a ping is three round trips."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


def limits(
    statement_timeout_seconds: float, lock_timeout_seconds: float, application_name: str = ""
) -> dict[str, str]:
    """PostgreSQL session settings that bound how long a connection may wait; 0 means no bound."""
    settings = {
        "statement_timeout": f"{int(statement_timeout_seconds * 1000)}ms",
        "lock_timeout": f"{int(lock_timeout_seconds * 1000)}ms",
        "timezone": "UTC",
    }
    if application_name:
        settings["application_name"] = application_name
    return settings
