"""Just enough HTTP/1.1 to answer JSON with JSON, keeping connections open."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

_MAX_HEAD_BYTES = 64 * 1024
_MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One call: `body` is the parsed JSON, None when there was none."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class HttpError(Exception):
    """The answer is this status with {"error": message}."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


Handler = Callable[[Request], Awaitable[Any]]


class JsonServer:
    """Serves `routes`, a table of (method, path) to handler."""

    def __init__(self, routes: dict[tuple[str, str], Handler]) -> None:
        self.routes = routes
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, also when `port` was 0."""
        self._server = await asyncio.start_server(
            self._connected, host, port, limit=_MAX_HEAD_BYTES
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and drop the connections."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while await self._answer_one(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        request_line, *header_lines = head.decode("latin-1").split("\r\n")
        headers = dict(_header(line) for line in header_lines if line)
        length = int(headers.get("content-length", "0"))
        if length > _MAX_BODY_BYTES:
            _write(writer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "the body is too long"})
            return False
        status, answer = await self._dispatch(request_line, await reader.readexactly(length))
        _write(writer, status, answer)
        await writer.drain()
        return headers.get("connection", "").lower() != "close"

    async def _dispatch(self, request_line: str, body: bytes) -> tuple[HTTPStatus, Any]:
        try:
            request = _parse(request_line, body)
            return HTTPStatus.OK, await self._handler(request)(request)
        except HttpError as error:
            return error.status, {"error": str(error)}

    def _handler(self, request: Request) -> Handler:
        handler = self.routes.get((request.method, request.path))
        if handler is None:
            known = ", ".join(f"{method} {path}" for method, path in sorted(self.routes))
            raise HttpError(HTTPStatus.NOT_FOUND, f"there is no such call; there are: {known}")
        return handler


def _parse(request_line: str, body: bytes) -> Request:
    try:
        method, target, _version = request_line.split(" ")
        parsed = orjson.loads(body) if body else None
    except ValueError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from None
    url = urlsplit(target)
    return Request(method, url.path, dict(parse_qsl(url.query)), parsed)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _write(writer: asyncio.StreamWriter, status: HTTPStatus, answer: Any) -> None:
    body = orjson.dumps(answer)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
