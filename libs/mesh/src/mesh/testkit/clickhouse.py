"""ClickHouse for tests: one engine a session, one database a test."""

import shutil
from collections.abc import AsyncIterator
from itertools import count
from typing import TYPE_CHECKING

import pytest_asyncio
from mesh.testkit.folders import ServerFolders

if TYPE_CHECKING:
    from mesh.embedded.clickhouse import ClickHouseServer

_numbers = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def clickhouse_server(
    server_folders: ServerFolders,
) -> AsyncIterator["ClickHouseServer"]:
    """A server of this test process."""
    from mesh.embedded.clickhouse import ClickHouseServer

    folder = server_folders("clickhouse")
    async with ClickHouseServer(folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def clickhouse_database(clickhouse_server: "ClickHouseServer") -> AsyncIterator[str]:
    """The URL of an empty database of this test's own, for `clickhouse_connect`."""
    name = f"test_{next(_numbers)}"
    yield await clickhouse_server.create_database(name)
    await clickhouse_server.drop_database(name)
