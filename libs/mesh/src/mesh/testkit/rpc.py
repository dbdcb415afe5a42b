"""Servicers behind their real front door, in this process: interceptors, validation, errors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

import grpc
import pytest_asyncio
from mesh.testkit.tokens import MintToken


@dataclass(frozen=True)
class RpcSettings:
    """What `mesh.rpc.server` reads of a service's settings."""

    auth_public_key: str
    listen: str = "127.0.0.1:0"
    shutdown_grace_seconds: float = 1.0
    concurrent_rpcs_max: int = 1000
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    tls_authority_file: str = ""


RpcServe = Callable[[Mapping[str, object]], Awaitable[str]]


class RpcConnect(Protocol):
    """Opens a channel to an address."""

    def __call__(self, address: str, *, token: str | None = None) -> grpc.aio.Channel: ...


class RpcClient(Protocol):
    """Serves servicers and opens a channel to them."""

    async def __call__(
        self, services: Mapping[str, object], *, token: str | None = None
    ) -> grpc.aio.Channel: ...


@pytest_asyncio.fixture(loop_scope="session")
async def rpc_resources() -> AsyncIterator[AsyncExitStack]:
    """Servers and channels of this test, closed in reverse order."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def rpc_serve(rpc_resources: AsyncExitStack, auth_public_key: str) -> RpcServe:
    """`await rpc_serve({"….EndpointService": servicer})`: the address of a server of it."""
    from mesh.rpc.server import rpc_server

    async def serve(services: Mapping[str, object]) -> str:
        settings = RpcSettings(auth_public_key)
        server = await rpc_resources.enter_async_context(rpc_server(settings, services))
        return f"127.0.0.1:{server.port}"

    return serve


@pytest_asyncio.fixture(loop_scope="session")
async def rpc_connect(rpc_resources: AsyncExitStack, mint_token: MintToken) -> RpcConnect:
    """`rpc_connect(address, token=…)`: a channel; as an administrator when no token is given."""
    from mesh.rpc.channel import channel

    def connect(address: str, *, token: str | None = None) -> grpc.aio.Channel:
        opened = channel(address, token=token if token is not None else mint_token())
        rpc_resources.push_async_callback(opened.close)
        return opened

    return connect


@pytest_asyncio.fixture(loop_scope="session")
async def rpc_client(rpc_serve: RpcServe, rpc_connect: RpcConnect) -> RpcClient:
    """`await rpc_client({"….EndpointService": servicer})`: a channel to a server of it."""

    async def client(
        services: Mapping[str, object], *, token: str | None = None
    ) -> grpc.aio.Channel:
        return rpc_connect(await rpc_serve(services), token=token)

    return client
