"""The whole mesh as processes: it starts, outlasts kills, and leaves nothing behind."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from heliograph.audience.v1.application_service_pb2 import ListApplicationsRequest
from heliograph.client import Client
from heliograph.connection import NoMeshError, local
from localmesh.environment import SERVICES
from localmesh.supervisor import LocalMesh
from mesh.embedded.errors import FolderInUseError, ForeignFolderError
from mesh.embedded.leftover import process_identity
from mesh.testkit.waiting import eventually

# Tests of one group share a worker, and with it the mesh that they look at.
pytestmark = pytest.mark.xdist_group("local mesh")

_START_TIMEOUT_SECONDS = 90.0


class Running:
    """A mesh and what it reported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.mesh = LocalMesh(folder, report=self.lines.append, durable=False)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    running = Running(tmp_path_factory.mktemp("mesh"))
    async with running.mesh:
        yield running


class Command:
    """`python -m localmesh up` as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        argv = ["-m", "localmesh", "up", "--data", str(self.folder)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )

    async def output_until(self, text: str) -> str:
        """What it has printed when `text` appears."""
        assert self._process is not None
        assert self._process.stdout is not None
        printed = ""
        async with asyncio.timeout(_START_TIMEOUT_SECONDS):
            while text not in printed:
                line = await self._process.stdout.readline()
                assert line, f"ended with:\n{printed}"
                printed += line.decode()
        return printed

    async def end(self, number: signal.Signals) -> tuple[int, str]:
        """The exit status after the signal, and the last of what it printed."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        output, _ = await asyncio.wait_for(self._process.communicate(), _START_TIMEOUT_SECONDS)
        return self._process.returncode or 0, output.decode()


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[Command]:
    command = Command(tmp_path / "mesh")
    yield command
    await command.end(signal.SIGKILL)


def _described(folder: Path) -> dict:
    return json.loads((folder / "mesh.json").read_text())


async def _ask(folder: Path) -> int:
    """Asks audience with the token of the folder, as the command line does."""
    async with Client(local(folder)) as client:
        answer = await client.applications.ListApplications(ListApplicationsRequest())
        return len(answer.applications)


async def _serves(address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        answer = await check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=60)
        return answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_all_five_serve_and_the_token_is_good(running: Running) -> None:
    assert set(running.mesh.description.addresses) == set(SERVICES)
    for address in running.mesh.description.addresses.values():
        assert await _serves(address)
    assert await _ask(running.folder) == 0


async def test_the_description_is_for_the_owner_alone(running: Running) -> None:
    mode = os.stat(running.folder / "mesh.json").st_mode
    assert mode & 0o077 == 0


@pytest.mark.parametrize("name", SERVICES)
async def test_a_killed_service_serves_again_at_its_address(running: Running, name: str) -> None:
    before = _described(running.folder)
    await running.mesh.kill(name)
    after = _described(running.folder)
    assert after["pids"][name] != before["pids"][name]
    assert after["addresses"] == before["addresses"]
    assert await _serves(after["addresses"][name])


@pytest.mark.parametrize("name", ["postgres", "nats", "clickhouse"])
async def test_services_outlast_a_killed_server(running: Running, name: str) -> None:
    await running.mesh.kill(name)
    await eventually(lambda: _asked(running.folder))
    pids = _described(running.folder)["pids"]
    assert all(process_identity(pids[service]) for service in SERVICES)


async def _asked(folder: Path) -> bool:
    """Whether audience answers; it may first notice that its connections are gone."""
    try:
        await _ask(folder)
    except Exception as error:
        raise AssertionError(str(error)) from None
    return True


async def test_a_killed_peer_keeps_its_journal(running: Running) -> None:
    fcm = running.mesh.peer("fcm")
    await fcm.call("GET", "/count")
    await running.mesh.kill("fcm")
    assert await fcm.count() == {}


async def test_a_second_mesh_on_the_folder_is_refused_and_disturbs_nobody(
    running: Running,
) -> None:
    with pytest.raises(FolderInUseError, match="stop it or give another folder"):
        await LocalMesh(running.folder).start()
    assert await _ask(running.folder) == 0


async def test_a_folder_with_somebody_elses_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(ForeignFolderError, match="give an empty or a new folder"):
        await LocalMesh(tmp_path).start()
    assert os.listdir(tmp_path) == ["thesis.tex"]


async def test_a_mesh_outlasts_every_end_and_is_the_same_at_every_start(command: Command) -> None:
    for moment in ("nats is ready", "postgres is ready", "twoway is ready"):
        await command.start()
        await command.output_until(moment)
        await command.end(signal.SIGKILL)
    await command.start()
    await command.output_until("the mesh is up")
    before = await _killed_and_gone(command)
    port = int(before["addresses"]["twoway"].rpartition(":")[2])
    smpp = before["providers"]["smpp"]["port"]
    with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", smpp)):
        await command.start()
        printed = await command.output_until("to lead them to the new one")
        assert f"port {port} of twoway is in use by another program" in printed
        assert f"moved since the last start: carrier (no longer on port {smpp})." in printed
        assert "Run `heliograph setup --app APP --number NUMBER` again" in printed
        await _ended_in_good_order(command, before, printed)


async def _killed_and_gone(command: Command) -> dict:
    described = _described(command.folder)
    await command.end(signal.SIGKILL)
    pids = described["pids"].values()
    await eventually(lambda: not any(map(process_identity, pids)))
    return described


async def _ended_in_good_order(command: Command, before: dict, printed: str) -> None:
    after = _described(command.folder)
    assert {**after["addresses"], "twoway": ""} == {**before["addresses"], "twoway": ""}
    assert after["peers"] == before["peers"]
    assert after["token"] in printed
    assert await _ask(command.folder) == 0
    status, output = await command.end(signal.SIGTERM)
    assert (status, "the mesh has ended" in output) == (0, True)
    assert not any(map(process_identity, after["pids"].values()))
    with pytest.raises(NoMeshError):
        local(command.folder)


async def test_a_mesh_can_be_called_off_while_it_starts(command: Command) -> None:
    await command.start()
    await command.output_until("is ready")
    status, output = await command.end(signal.SIGINT)
    assert (status, "the mesh has ended" in output) == (0, True)
