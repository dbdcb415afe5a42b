"""A small HTTP/1.1 server (RFC 9112) for the loopback interface: whole bodies in and out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

MAX_HEAD_BYTES = 256 * 1024
MAX_BODY_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One call; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """One answer; its length is added when it is sent."""

    body: bytes | memoryview = b""
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


class BadRequestError(Exception):
    """What arrived is not HTTP that this server speaks; the connection ends with the message."""


Handler = Callable[[Request], Awaitable[Response]]


class HttpServer:
    """Answers every request with what `handler` returns, many connections at a time."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.StreamWriter] = set()
        self._stopping = False

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, also when `port` was 0."""
        self._server = await asyncio.start_server(
            self._connected, host, port, limit=MAX_HEAD_BYTES, backlog=512
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening, give the answers that are being made, and close the connections."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for writer in self._idle:
            writer.close()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keep_alive = True
        while keep_alive and not self._stopping:
            self._idle.add(writer)
            try:
                request = await _read_request(reader, writer)
            except BadRequestError as error:
                _write(writer, Response(str(error).encode(), HTTPStatus.BAD_REQUEST))
                return
            finally:
                self._idle.discard(writer)
            response = await self._handler(request)
            _write(writer, response, head_only=request.method == "HEAD")
            await writer.drain()
            keep_alive = request.headers.get("connection", "").lower() != "close"


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *header_lines = head.split("\r\n")
    headers = dict(_header(line) for line in header_lines if line)
    method, target = _request_line(request_line)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(method, url.path, query, headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        raise BadRequestError(f"the length of the body is no number up to {MAX_BODY_BYTES}")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := await _chunk_size(reader):
        if len(body) + size > MAX_BODY_BYTES:
            raise BadRequestError(f"the body is longer than {MAX_BODY_BYTES} bytes")
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readline() not in (b"\r\n", b""):
        pass
    return bytes(body)


async def _chunk_size(reader: asyncio.StreamReader) -> int:
    line = await reader.readline()
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise BadRequestError(f"a chunk begins with {line[:40]!r}, not with its size") from None


def _request_line(line: str) -> tuple[str, str]:
    try:
        method, target, _version = line.split(" ")
    except ValueError:
        raise BadRequestError(f"the request line is {line[:80]!r}") from None
    return method, target


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _write(writer: asyncio.StreamWriter, response: Response, *, head_only: bool = False) -> None:
    lines = [
        f"HTTP/1.1 {response.status.value} {response.status.phrase}",
        f"Content-Length: {len(response.body)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    if response.body and not head_only:
        writer.write(response.body)
