"""A relay against a server that echoes: held, released, cut."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from mesh.testkit import eventually
from mesh.testkit.relay import Relay


@pytest.fixture
def heard() -> bytearray:
    """What the server has heard."""
    return bytearray()


@pytest_asyncio.fixture
async def relay(heard: bytearray) -> AsyncIterator[Relay]:
    """A relay to a server that says again what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            heard.extend(data)
            writer.write(data)
        writer.close()

    async with (
        await asyncio.start_server(echo, "127.0.0.1", 0) as server,
        Relay(server.sockets[0].getsockname()[1]) as opened,
    ):
        yield opened


async def test_bytes_pass_both_ways(relay: Relay) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(b"hello")

    assert await reader.readexactly(5) == b"hello"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("lane", ["requests", "answers"])
async def test_what_is_held_arrives_when_it_is_released(
    relay: Relay, heard: bytearray, lane: str
) -> None:
    held = getattr(relay, lane)
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    held.hold()
    writer.write(b"hello")
    await eventually(lambda: held.held_bytes == 5)
    assert heard == (b"hello" if lane == "answers" else b"")

    held.release()

    assert await reader.readexactly(5) == b"hello"
    assert held.held_bytes == 0
    writer.close()
    await writer.wait_closed()


async def test_what_is_held_is_lost_with_the_link(relay: Relay, heard: bytearray) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    relay.requests.hold()
    writer.write(b"lost")
    await eventually(lambda: relay.requests.held_bytes)

    await relay.cut()
    relay.requests.release()

    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await reader.readexactly(1)
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(b"new")
    assert await reader.readexactly(3) == b"new"
    assert heard == b"new"
    writer.close()
    await writer.wait_closed()


async def test_without_a_server_the_connection_ends() -> None:
    async with Relay(1) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
