"""A service as a process: its commands, its ports, its end."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from mesh import errors
from mesh.rpc.channel import channel
from mesh.service import ServiceSettings
from mesh.service.settings import help_text, table
from mesh.testkit import eventually
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

SAMPLE = Path(__file__).parent / "sample_service"
TIMEOUT_SECONDS = 60


@pytest.fixture
def environment(tmp_path, database, auth_public_key):
    """What the sample service is given."""
    inherited = {key: value for key, value in os.environ.items() if "HELIOGRAPH" not in key}
    return inherited | {
        "HELIOGRAPH_DATABASE_URL": database,
        "HELIOGRAPH_AUTH_PUBLIC_KEY": auth_public_key,
        "HELIOGRAPH_PORTS_FILE": str(tmp_path / "ports.json"),
    }


async def start(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(SAMPLE),
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    """The exit status, standard output and standard error of a process that ends by itself."""
    out, err = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)
    return process.returncode, out.decode(), err.decode()


def ports(ports_file: Path, process: asyncio.subprocess.Process) -> dict[str, int] | None:
    """What the ports file says, None before there is one."""
    assert process.returncode is None, "the service has ended"
    return json.loads(ports_file.read_text()) if ports_file.exists() else None


@asynccontextmanager
async def serving(environment: dict[str, str], command: str = "serve"):
    """The process and its ports, once it is ready."""
    process = await start(environment, command)
    ports_file = Path(environment["HELIOGRAPH_PORTS_FILE"])
    try:
        yield process, await eventually(lambda: ports(ports_file, process), TIMEOUT_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_service_migrates_serves_and_ends_when_told(environment, database, admin_token):
    code, out, err = await ended(await start(environment, "migrate"))
    assert (code, err) == (0, "")
    async with serving(environment) as (process, found):
        async with channel(f"127.0.0.1:{found['grpc']}", token=admin_token) as opened:
            listed = await operations_pb2_grpc.OperationsStub(opened).ListOperations(
                operations_pb2.ListOperationsRequest(name="applications/a")
            )
        assert not listed.operations
        metrics = await asyncio.to_thread(read, f"http://127.0.0.1:{found['metrics']}/metrics")
        assert 'method="ListOperations",service="google.longrunning.Operations"' in metrics
        process.send_signal(signal.SIGTERM)
        code, out, err = await ended(process)
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines if line["logger"].startswith("mesh.service")] == [
        "service.ready", "service.stopping", "service.stopped",
    ]  # fmt: skip
    assert {line["service"] for line in lines} == {"sample"}


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
        return answer.read().decode()


class Collector:
    """Takes spans as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def Export(self, request, context):
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.names += [span.name for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
async def collector():
    """A collector and its endpoint."""
    taker, server = Collector(), grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(taker, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield taker, f"http://127.0.0.1:{port}"
    await server.stop(0)


async def test_the_last_spans_reach_the_collector_when_the_service_ends(
    environment, collector, admin_token
):
    taker, endpoint = collector
    traced = {"HELIOGRAPH_OTLP_ENDPOINT": endpoint, "HELIOGRAPH_TRACE_RATIO": "1"}
    async with serving(environment | traced) as (process, found):
        async with channel(f"127.0.0.1:{found['grpc']}", token=admin_token) as opened:
            with pytest.raises(errors.Internal):  # the database is empty
                await operations_pb2_grpc.OperationsStub(opened).ListOperations(
                    operations_pb2.ListOperationsRequest(name="applications/a")
                )
        process.send_signal(signal.SIGTERM)
        code, _, err = await ended(process)
    assert (code, err) == (0, "")
    assert taker.names == ["google.longrunning.Operations/ListOperations"]


async def test_migrating_twice_is_harmless_also_by_the_process_that_serves(environment, database):
    assert (await ended(await start(environment, "migrate")))[0] == 0
    async with serving(environment, "up") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert (await ended(process))[0] == 0
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT count(*) FROM operations") == 0
    await connection.close()


async def test_a_service_whose_closing_hangs_ends_all_the_same(environment):
    slow = {"HELIOGRAPH_CLOSE_HANGS": "true", "HELIOGRAPH_SHUTDOWN_GRACE_SECONDS": "0.2"}
    async with serving(environment | slow) as (process, _):
        process.send_signal(signal.SIGINT)
        code, out, err = await ended(process)
    assert (code, err) == (1, "")
    assert "service.failed" in out


async def test_a_service_that_cannot_start_says_so_in_its_log(environment):
    code, out, err = await ended(await start(environment | {"HELIOGRAPH_AUTH_PUBLIC_KEY": ""}))
    assert (code, err) == (1, "")
    assert "there is no public key" in out


async def test_a_loop_that_fails_ends_the_service_with_status_one(environment):
    process = await start(environment | {"HELIOGRAPH_LOOP_FAILS": "true"})
    code, out, _ = await ended(process)
    assert code == 1
    (failed,) = [
        line for line in map(json.loads, out.splitlines()) if line["event"] == "background.failed"
    ]
    assert (failed["loop"], failed["level"]) == ("loop", "critical")
    assert "the loop is broken" in failed["exception"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HELIOGRAPH_METRICS_PORT", "many"), ("HELIOGRAPH_TRACE_RATIO", "77")],
)
async def test_a_wrong_setting_is_named_and_its_value_is_not_shown(environment, variable, value):
    code, out, err = await ended(await start(environment | {variable: value}))
    assert (code, out) == (2, "")
    assert err.startswith(f"{variable}: ")
    assert value not in err


async def test_a_wrong_command_shows_the_help(environment):
    code, _, err = await ended(await start(environment, "frobnicate"))
    assert code == 2
    assert "usage: python -m sample" in err


async def test_help_shows_every_setting_and_no_secret(environment):
    code, out, _ = await ended(await start(environment, "--help"))
    assert code == 0
    assert "HELIOGRAPH_LOOP_FAILS" in out
    assert "hush" not in out


def test_every_setting_has_help():
    assert all(help_ for _, _, _, help_ in table(ServiceSettings))
    assert "HELIOGRAPH_LISTEN" in help_text("x", ServiceSettings)
