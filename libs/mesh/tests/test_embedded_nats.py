"""NATS from the wheel: JetStream keeps what it acknowledged."""

import asyncio
import socket
from pathlib import Path

import nats
import pytest
from mesh.embedded.errors import FolderInUseError, PortInUseError
from mesh.embedded.nats import MAX_PAYLOAD_BYTES, NatsServer


async def test_acknowledged_messages_survive_a_killed_server(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats") as server:
        connection = await nats.connect(server.url)
        stream = connection.jetstream()
        await stream.add_stream(name="KEPT", subjects=["kept.>"])
        acks = [await stream.publish("kept.a", bytes([number])) for number in range(10)]
        assert acks[-1].seq == 10
        assert server.process is not None
        await server.process.kill()
        await connection.close()
    async with NatsServer(tmp_path / "nats") as server:
        connection = await nats.connect(server.url)
        kept = await connection.jetstream().stream_info("KEPT")
        assert kept.state.messages == 10
        await connection.close()


async def test_a_message_may_be_eight_mebibytes_long(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats") as server:
        connection = await nats.connect(server.url)
        assert connection.max_payload == MAX_PAYLOAD_BYTES
        await connection.close()


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=str(port)):
            await NatsServer(tmp_path / "nats", port=port).start()


async def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats"):
        with pytest.raises(FolderInUseError):
            await NatsServer(tmp_path / "nats").start()


async def test_servers_on_free_ports_stand_side_by_side(tmp_path: Path) -> None:
    servers = [NatsServer(tmp_path / str(number)) for number in range(3)]
    await asyncio.gather(*(server.start() for server in servers))
    assert len({server.url for server in servers}) == 3
    await asyncio.gather(*(server.stop() for server in servers))
