"""What dies is started again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from localmesh.kept import KeptRunning
from mesh.embedded.errors import CannotStartError, PortInUseError
from mesh.embedded.nats import NatsServer
from mesh.embedded.ports import free_port
from mesh.testkit.waiting import eventually


class Kept:
    """A server that is kept running, with what was reported about it."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self.changes = 0
        self.server = NatsServer(folder, free_port())
        self.kept = KeptRunning("nats", self.server, self.lines.append, self._changed)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Kept]:
    one = Kept(tmp_path / "nats")
    await one.kept.start()
    yield one
    await one.kept.stop()


async def test_a_killed_process_is_started_again_on_its_port(one: Kept) -> None:
    pid, url = one.kept.pid, one.server.url
    await one.kept.kill(60)
    assert one.kept.pid != pid
    assert one.server.url == url
    assert one.changes == one.kept.restarts == 1
    assert "ended with status -9" in one.lines[0]


async def test_it_is_started_again_every_time(one: Kept) -> None:
    for _ in range(4):
        await one.kept.kill(60)
    assert one.kept.restarts == 4


async def test_a_start_that_fails_is_tried_again_and_reported(one: Kept) -> None:
    async def no_longer(*_: object) -> None:
        raise CannotStartError("the disk is full")

    working = one.server.start
    one.server.start = no_longer  # type: ignore[method-assign]
    assert one.server.process is not None
    await one.server.process.kill()
    await eventually(lambda: sum("the disk is full" in line for line in one.lines) >= 2)
    one.server.start = working  # type: ignore[method-assign]
    await eventually(lambda: one.kept.restarts == 1)


async def test_what_is_stopped_stays_stopped(one: Kept) -> None:
    await one.kept.stop()
    assert one.server.process is not None
    assert not one.server.process.running
    assert one.lines == []


async def test_a_first_start_that_fails_is_the_callers(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    server = NatsServer(tmp_path / "nats", taken.sockets[0].getsockname()[1])
    kept = KeptRunning("nats", server, lambda line: None, lambda: None)
    with pytest.raises(PortInUseError):
        await kept.start()
    taken.close()
