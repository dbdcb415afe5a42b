"""PostgreSQL for tests: one server a session, one database a test, cloned when it has tables."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest_asyncio
from mesh.embedded.postgres import PostgresServer
from mesh.testkit.folders import ServerFolders

MigratedDatabase = Callable[[str | Path], Awaitable[str]]

_numbers = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(server_folders: ServerFolders) -> AsyncIterator[PostgresServer]:
    """A server of this test process, without fsync."""
    folder = server_folders("postgres")
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
async def migrated_templates(postgres_server: PostgresServer) -> "AsyncIterator[MigratedTemplates]":
    """The databases that `migrated_database` clones."""
    templates = MigratedTemplates(postgres_server)
    yield templates
    await templates.close()


@pytest_asyncio.fixture(loop_scope="session")
async def migrated_database(
    postgres_server: PostgresServer, migrated_templates: "MigratedTemplates"
) -> AsyncIterator[MigratedDatabase]:
    """`await migrated_database(script_location)`: the URL of a fresh, migrated database.

    The migrations run once a session, into a template; each call gives a clone of it.
    """
    names: list[str] = []

    async def clone(script_location: str | Path) -> str:
        names.append(await migrated_templates.clone(Path(script_location)))
        return postgres_server.url_for(names[-1])

    yield clone
    for name in names:
        await postgres_server.drop_database(name)


class MigratedTemplates:
    """One migrated database for each history of migrations, made when first asked for.

    While a test runs, the clone for the next one is made: waiting for clones was a third of the
    time that tests with a database took.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._names: dict[Path, str] = {}
        self._spares: dict[str, asyncio.Task[str]] = {}
        self._making = asyncio.Lock()

    async def clone(self, script_location: Path) -> str:
        """The name of a database that nobody has used yet."""
        template = await self._template(script_location)
        spare = self._spares.pop(template, None)
        if spare is None:
            name = await self._made(template)
        else:
            # A test may have stopped the server meanwhile, for a while.
            (found,) = await asyncio.gather(spare, return_exceptions=True)
            name = found if isinstance(found, str) else await self._made(template)
        self._spares[template] = asyncio.create_task(self._made(template))
        return name

    async def close(self) -> None:
        """Leave nothing running."""
        await asyncio.gather(*self._spares.values(), return_exceptions=True)

    async def _template(self, script_location: Path) -> str:
        async with self._making:
            if script_location not in self._names:
                name = f"template_{len(self._names) + 1}"
                await self._migrate(await self._server.create_database(name), script_location)
                self._names[script_location] = name
        return self._names[script_location]

    async def _made(self, template: str) -> str:
        name = f"test_{next(_numbers)}"
        await self._server.create_database(name, template=template)
        return name

    async def _migrate(self, database_url: str, script_location: Path) -> None:
        from mesh.store import migrate

        await migrate.upgrade(database_url, script_location)
