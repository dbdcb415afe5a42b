"""A link that can be held up, or cut with what is on its way: for crashes at a chosen moment.

What a process has said stays in the link while the process dies, and never arrives.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65536


class Lane:
    """One direction of all connections of a relay."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self._free = asyncio.Event()
        self._free.set()

    def hold(self) -> None:
        """Let nothing through from now on."""
        self._free.clear()

    def release(self) -> None:
        """Let everything through again, first what was held."""
        self._free.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on until one side closes."""
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK_BYTES):
                await self._pass(len(data))
                writer.write(data)
                await writer.drain()

    async def _pass(self, length: int) -> None:
        self.held_bytes += length
        try:
            await self._free.wait()
        finally:
            self.held_bytes -= length


class Relay:
    """`async with Relay(port) as relay`: who connects to `relay.port` reaches `port`."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.requests = Lane()
        """Towards the server."""
        self.answers = Lane()
        """Back from it."""
        self.port = 0
        self._target = (host, port)
        self._links: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._server.wait_closed()
        while self._links:
            await self.cut()

    async def cut(self) -> None:
        """End every connection; what is held is lost. New connections are taken as before."""
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.create_task(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        # Not by the task itself: one that is cut before it has begun would leave it open.
        link.add_done_callback(lambda _: writer.close())

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            return
        lanes = [
            asyncio.create_task(self.requests.carry(reader, back)),
            asyncio.create_task(self.answers.carry(there, writer)),
        ]
        try:
            await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for lane in lanes:
                lane.cancel()
            back.close()
