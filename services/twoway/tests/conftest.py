"""This room behind its front door, on a database of the test's own."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
import twoway
from mesh.store import engine, pool
from mesh.testkit.postgres import MigratedDatabase
from mesh.testkit.rpc import RpcClient
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

# Tests are imported by path, so what they share needs one.
sys.path.insert(0, str(Path(__file__).parent))

from twoway_room import Room

MIGRATIONS = Path(twoway.__file__).parent / "migrations"


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
async def asking(database_url: str) -> AsyncIterator[Any]:
    """The pool that consent is asked through."""
    async with pool.create(database_url, max_size=4) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def room(
    database_url: str,
    sessions: async_sessionmaker[AsyncSession],
    asking: Any,
    rpc_client: RpcClient,
) -> AsyncIterator[Room]:
    """The whole room, as an administrator sees it."""
    async with Room(database_url, sessions, asking, rpc_client) as opened:
        yield opened
