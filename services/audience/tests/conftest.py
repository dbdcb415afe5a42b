"""This room behind its front door, on a database of the test's own."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import audience
import pytest_asyncio
from analytics.eventstore import migrate
from analytics.eventstore.client import EventStore
from mesh.embedded.clickhouse import ClickHouseServer
from mesh.store import engine, pool
from mesh.testkit.postgres import MigratedDatabase
from mesh.testkit.rpc import RpcConnect, RpcServe
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

# Tests are imported by path, so what they share needs one.
sys.path.insert(0, str(Path(__file__).parent))

from audience_analytics import serve_analytics
from audience_room import Room

MIGRATIONS = Path(audience.__file__).parent / "migrations"


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(migrated_database: MigratedDatabase) -> str:
    """A migrated database."""
    return await migrated_database(MIGRATIONS)


@pytest_asyncio.fixture(loop_scope="session")
async def sessions(database_url: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Sessions on it."""
    database = engine.create(database_url)
    yield engine.sessions(database)
    await database.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def reading(database_url: str) -> "AsyncIterator[asyncpg.Pool[asyncpg.Record]]":
    """The pool that endpoints are read through."""
    async with pool.create(database_url, max_size=4) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def event_store(clickhouse_server: ClickHouseServer) -> AsyncIterator[EventStore]:
    """What analytics knows, in applications of each test's own."""
    async with EventStore(clickhouse_server.url_for("heliograph")) as store:
        await migrate.migrate(store)
        yield store


@pytest_asyncio.fixture(loop_scope="session")
async def analytics_address(event_store: EventStore, rpc_serve: RpcServe) -> str:
    """The half of analytics that answers about behaviour, on its real store."""
    return await serve_analytics(event_store, rpc_serve)


@pytest_asyncio.fixture(loop_scope="session")
async def room(
    database_url: str,
    sessions: async_sessionmaker[AsyncSession],
    reading: "asyncpg.Pool[asyncpg.Record]",
    rpc_serve: RpcServe,
    rpc_connect: RpcConnect,
    tmp_path: Path,
) -> Room:
    """The whole room, as an administrator sees it, with the application `shop`."""
    opened = Room(database_url, sessions, reading, rpc_serve, rpc_connect, tmp_path)
    await opened.open()
    return opened
