"""The server of a service: its contract, health and reflection, on one port, drained at the end."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection
from mesh.rpc import limits, tls
from mesh.rpc.auth import keys
from mesh.rpc.auth.tokens import Verifier
from mesh.rpc.handlers import service_handlers, unimplemented

__all__ = ["Rpc", "ServerSettings", "rpc_server", "unimplemented"]


class ServerSettings(tls.TlsSettings, Protocol):
    """What a server reads of a service's settings."""

    @property
    def listen(self) -> str: ...
    @property
    def auth_public_key(self) -> str: ...
    @property
    def shutdown_grace_seconds(self) -> float: ...
    @property
    def concurrent_rpcs_max(self) -> int: ...


class Rpc:
    """A running server. `port` is the one it listens on, chosen by the system if asked for 0;
    `checks` is its health, to be served elsewhere too."""

    def __init__(self, server: grpc.aio.Server, checks: health.HealthServicer, port: int) -> None:
        self._server = server
        self.checks = checks
        self.port = port

    async def wait(self) -> None:
        """Until the server has stopped."""
        await self._server.wait_for_termination()

    async def stop(self, grace_seconds: float) -> None:
        """Drain: report NOT_SERVING, take no new calls, give those in work `grace_seconds`."""
        await self.checks.enter_graceful_shutdown()
        await self._server.stop(grace_seconds)


@asynccontextmanager
async def rpc_server(
    settings: ServerSettings, services: Mapping[str, object]
) -> AsyncIterator[Rpc]:
    """Serve `services`, full service names to servicers, until the block ends; then drain.

    ValueError without a public key to verify tokens with; OSError when it cannot listen.
    """
    verifier = Verifier(keys.public_keys(settings.auth_public_key))
    server = grpc.aio.server(
        options=limits.SERVER, maximum_concurrent_rpcs=settings.concurrent_rpcs_max
    )
    server.add_generic_rpc_handlers(tuple(service_handlers(services, verifier)))
    checks = await _add_health(server, services)
    health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
    reflection.enable_server_reflection((*services, health_name, reflection.SERVICE_NAME), server)
    rpc = Rpc(server, checks, _listen(server, settings))
    await server.start()
    try:
        yield rpc
    finally:
        await rpc.stop(settings.shutdown_grace_seconds)


async def _add_health(
    server: grpc.aio.Server, services: Mapping[str, object]
) -> health.HealthServicer:
    checks = health.HealthServicer()
    for name in ("", *services):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    return checks


def _listen(server: grpc.aio.Server, settings: ServerSettings) -> int:
    credentials = tls.server_credentials(settings)
    if credentials is None:
        port = server.add_insecure_port(settings.listen)
    else:
        port = server.add_secure_port(settings.listen, credentials)
    if not port:
        raise OSError(f"cannot listen on {settings.listen}")
    return port
