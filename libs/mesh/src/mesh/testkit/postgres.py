"""PostgreSQL for tests: one server a session, one database a test, cloned when it has tables."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from mesh.embedded.postgres import PostgresServer

MigratedDatabase = Callable[[str | Path], Awaitable[str]]

_numbers = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[PostgresServer]:
    """A server of this test process, without fsync."""
    folder = tmp_path_factory.mktemp("postgres")
    async with PostgresServer(folder, durable=False) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """The URL of an empty database of this test's own."""
    name = f"test_{next(_numbers)}"
    yield await postgres_server.create_database(name)
    await postgres_server.drop_database(name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_templates(postgres_server: PostgresServer) -> "MigratedTemplates":
    """The databases that `migrated_database` clones."""
    return MigratedTemplates(postgres_server)


@pytest_asyncio.fixture(loop_scope="session")
async def migrated_database(
    postgres_server: PostgresServer, migrated_templates: "MigratedTemplates"
) -> AsyncIterator[MigratedDatabase]:
    """`await migrated_database(script_location)`: the URL of a fresh, migrated database.

    The migrations run once a session, into a template; each call clones it.
    """
    names: list[str] = []

    async def clone(script_location: str | Path) -> str:
        template = await migrated_templates.of(Path(script_location))
        names.append(f"test_{next(_numbers)}")
        return await postgres_server.create_database(names[-1], template=template)

    yield clone
    for name in names:
        await postgres_server.drop_database(name)


class MigratedTemplates:
    """One migrated database for each history of migrations, made when first asked for."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._names: dict[Path, str] = {}
        self._making = asyncio.Lock()

    async def of(self, script_location: Path) -> str:
        """The name of the database that this history's migrations have made."""
        async with self._making:
            if script_location not in self._names:
                name = f"template_{len(self._names) + 1}"
                await self._migrate(await self._server.create_database(name), script_location)
                self._names[script_location] = name
        return self._names[script_location]

    async def _migrate(self, database_url: str, script_location: Path) -> None:
        from mesh.store import migrate

        await migrate.upgrade(database_url, script_location)
