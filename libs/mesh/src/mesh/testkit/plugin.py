"""The pytest plugin: real servers, isolated per test and safe under xdist.

Load it with `-p mesh.testkit.plugin`. Each test process starts servers of its own, when a test asks
for them, so there is nothing to start beforehand.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from mesh.testkit import logs
from mesh.testkit.clickhouse import clickhouse_database, clickhouse_server
from mesh.testkit.folders import server_folders
from mesh.testkit.garbage import pytest_collection
from mesh.testkit.nats import fresh_nats_server, nats, nats_server, nats_url
from mesh.testkit.postgres import database, migrated_database, migrated_templates, postgres_server
from mesh.testkit.rpc import rpc_client, rpc_connect, rpc_resources, rpc_serve
from mesh.testkit.tokens import (
    admin_token,
    auth_public_key,
    mint_token,
    service_token,
    signing_key,
)
from mesh.testkit.waiting import eventually

if TYPE_CHECKING:
    from mesh.testkit.object_stores import S3Server

__all__ = [
    "admin_token",
    "auth_public_key",
    "clickhouse_database",
    "clickhouse_server",
    "database",
    "eventually",
    "fresh_nats_server",
    "migrated_database",
    "migrated_templates",
    "mint_token",
    "nats",
    "nats_server",
    "nats_url",
    "postgres_server",
    "pytest_collection",
    "rpc_client",
    "rpc_connect",
    "rpc_resources",
    "rpc_serve",
    "s3_server",
    "server_folders",
    "service_token",
    "signing_key",
]


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is logged."""
    logs.configure()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3_server(tmp_path_factory: pytest.TempPathFactory) -> "AsyncIterator[S3Server]":
    """An object store, for tests that keep to keys of their own and to the group `object_store`."""
    from mesh.testkit.object_stores import s3_serving

    async with s3_serving(tmp_path_factory.mktemp("s3")) as server:
        yield server
