"""Health on a port of its own: for probes, whatever the service itself demands."""

import socket
from dataclasses import replace

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mesh.rpc import health
from mesh.rpc.server import rpc_server
from mesh.testkit.rpc import RpcSettings

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LOOPBACK = "127.0.0.1"


class Shelf:
    """Implements nothing; its health is enough here."""


async def probe(port: int, service: str = "") -> int:
    """The status that a probe is told, in plain text and without a token."""
    async with grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as opened:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = await health_pb2_grpc.HealthStub(opened).Check(request, timeout=60)
    return answer.status


@pytest.fixture
def mutual_tls(tmp_path):
    """Settings under which only clients with a certificate get in."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "own.pem"
    )
    own = str(tmp_path / "own.pem")
    return {
        "tls_authority_file": str(tmp_path / "authority.pem"),
        "tls_key_file": own,
        "tls_certificate_file": own,
    }


async def test_a_probe_needs_no_certificate(library, mutual_tls, auth_public_key):
    settings = replace(RpcSettings(auth_public_key), **mutual_tls)
    async with (
        rpc_server(settings, {library.service: Shelf()}) as server,
        health.serving(f"{LOOPBACK}:0", server.checks) as port,
    ):
        assert await probe(port) == SERVING
        assert await probe(port, library.service) == SERVING


async def test_a_probe_sees_that_a_server_drains(library, auth_public_key):
    settings = RpcSettings(auth_public_key)
    async with (
        rpc_server(settings, {library.service: Shelf()}) as server,
        health.serving(f"{LOOPBACK}:0", server.checks) as port,
    ):
        await server.stop(grace_seconds=0)

        assert await probe(port) == NOT_SERVING


async def test_a_port_in_use_is_an_error(library, auth_public_key):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        address = f"{LOOPBACK}:{taken.getsockname()[1]}"
        async with rpc_server(RpcSettings(auth_public_key), {library.service: Shelf()}) as server:
            with pytest.raises(OSError, match="cannot listen"):
                async with health.serving(address, server.checks):
                    pass
