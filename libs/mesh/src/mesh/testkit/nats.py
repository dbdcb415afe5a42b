"""NATS for tests: a server of one's own starts in 44 ms, so a test may stop and kill it."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from mesh.embedded.nats import NatsServer
from mesh.embedded.ports import free_port
from mesh.testkit.folders import ServerFolders
from nats.aio.client import Client
from nats.js import JetStreamContext


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats_server(server_folders: ServerFolders) -> AsyncIterator[NatsServer]:
    """A server that all tests of this process share: for tests with subjects of their own."""
    folder = server_folders("nats")
    async with NatsServer(folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_nats_server(server_folders: ServerFolders) -> AsyncIterator[NatsServer]:
    """A server of this test's own; stopped and started again, it keeps its port and its streams."""
    folder = server_folders("nats")
    async with NatsServer(folder, port=free_port()) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def nats_url(fresh_nats_server: NatsServer) -> str:
    """The URL of a server of this test's own."""
    return fresh_nats_server.url


@pytest_asyncio.fixture(loop_scope="session")
async def nats(nats_url: str) -> AsyncIterator[tuple[Client, JetStreamContext]]:
    """A connection to the test's own server, and JetStream on it."""
    from mesh.eventing import jetstream

    async with jetstream.connect(nats_url, name="test") as connection:
        yield connection
