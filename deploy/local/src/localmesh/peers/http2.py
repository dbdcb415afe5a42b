"""A small HTTP/2 server (RFC 9113) that says GOAWAY in the middle of traffic, as real ones do."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from hyperframe.frame import GoAwayFrame
from mesh.embedded.http_server import Handler, Request, Response

_READ_BYTES = 256 * 1024
_MAX_BODY_BYTES = 1024 * 1024


class Http2Server:
    """Answers every request with what `handler` returns; a ConnectionAbortedError from it cuts the
    connection without an answer.

    `requests_per_connection` is asked at every request; the connection says GOAWAY at that number,
    answers what came before and refuses what comes after. 0: never.
    """

    def __init__(self, handler: Handler, requests_per_connection: Callable[[], int]) -> None:
        self._handler = handler
        self._requests_per_connection = requests_per_connection
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self, host: str, port: int, tls: ssl.SSLContext) -> int:
        """Listen; the port, also when `port` was 0."""
        self._server = await asyncio.start_server(self._connected, host, port, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and drop the connections."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(reader, writer, self._handler, self._requests_per_connection)
        self._connections.add(connection)
        try:
            with suppress(OSError, ProtocolError):
                await connection.serve()
        finally:
            self._connections.discard(connection)
            connection.abort()


class _Connection:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handler: Handler,
        requests_per_connection: Callable[[], int],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._requests_per_connection = requests_per_connection
        self._http2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._bodies: dict[int, tuple[dict[str, str], bytearray]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self._window_opened = asyncio.Event()
        self._requests = 0
        self._leaving = False

    async def serve(self) -> None:
        self._http2.initiate_connection()
        self._flush()
        while data := await self._reader.read(_READ_BYTES):
            for event in self._http2.receive_data(data):
                self._on_event(event)
            self._flush()
            await self._writer.drain()

    def abort(self) -> None:
        for answer in self._answers:
            answer.cancel()
        self._writer.transport.abort()

    def _on_event(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._begin(event)
            case DataReceived():
                self._take(event)
            case StreamEnded() if event.stream_id in self._bodies:
                headers, body = self._bodies.pop(event.stream_id)
                answer = asyncio.create_task(self._answer(event.stream_id, headers, bytes(body)))
                self._answers.add(answer)
                answer.add_done_callback(self._answered)
            case StreamReset():
                self._bodies.pop(event.stream_id, None)
            case WindowUpdated():
                self._window_opened.set()

    def _begin(self, event: RequestReceived) -> None:
        if self._leaving:
            self._http2.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        headers = {str(name): str(value) for name, value in event.headers}
        self._bodies[event.stream_id] = (headers, bytearray())
        self._requests += 1
        if 0 < self._requests_per_connection() <= self._requests:
            self._leaving = True
            # close_connection() of the library would also forbid the answers that are still due.
            goaway = GoAwayFrame(0, last_stream_id=event.stream_id, error_code=ErrorCodes.NO_ERROR)
            self._flush()
            self._writer.write(goaway.serialize())

    def _take(self, event: DataReceived) -> None:
        self._http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        _, body = self._bodies.get(event.stream_id, ({}, bytearray()))
        body += event.data
        if len(body) > _MAX_BODY_BYTES:
            del self._bodies[event.stream_id]
            self._http2.reset_stream(event.stream_id, ErrorCodes.CANCEL)

    async def _answer(self, stream_id: int, headers: dict[str, str], body: bytes) -> None:
        url = urlsplit(headers[":path"])
        query = dict(parse_qsl(url.query))
        try:
            response = await self._handler(
                Request(headers[":method"], url.path, query, headers, body)
            )
        except ConnectionAbortedError:
            self.abort()
            return
        with suppress(OSError, ProtocolError):
            await self._send(stream_id, response)

    async def _send(self, stream_id: int, response: Response) -> None:
        headers = {name.lower(): value for name, value in response.headers.items()}
        status = {":status": str(response.status.value), "content-length": str(len(response.body))}
        self._http2.send_headers(stream_id, [*status.items(), *headers.items()])
        rest = bytes(response.body)
        while rest:
            window = self._http2.local_flow_control_window(stream_id)
            length = min(window, self._http2.max_outbound_frame_size, len(rest))
            if length == 0:
                self._window_opened.clear()
                self._flush()
                await self._window_opened.wait()
                continue
            self._http2.send_data(stream_id, rest[:length])
            rest = rest[length:]
        self._http2.end_stream(stream_id)
        self._flush()

    def _answered(self, answer: asyncio.Task[None]) -> None:
        self._answers.discard(answer)
        if self._leaving and not self._answers and not self._bodies:
            self._writer.close()

    def _flush(self) -> None:
        self._writer.write(self._http2.data_to_send())
