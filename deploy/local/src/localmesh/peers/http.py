"""JSON in, JSON out, by a table of calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from mesh.embedded import http_server


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


class JsonServer(http_server.HttpServer):
    """Serves `routes`, a table of (method, path) to handler."""

    def __init__(self, routes: dict[tuple[str, str], Handler]) -> None:
        super().__init__(self._answer)
        self._routes = routes

    async def _answer(self, request: http_server.Request) -> http_server.Response:
        status, answer = HTTPStatus.OK, None
        try:
            call = Request(request.method, request.path, dict(request.query), _parsed(request.body))
            answer = await self._handler_of(call)(call)
        except HttpError as error:
            status, answer = error.status, {"error": str(error)}
        headers = {"Content-Type": "application/json"}
        return http_server.Response(orjson.dumps(answer), status, headers)

    def _handler_of(self, call: Request) -> Handler:
        handler = self._routes.get((call.method, call.path))
        if handler is None:
            known = ", ".join(f"{method} {path}" for method, path in sorted(self._routes))
            raise HttpError(HTTPStatus.NOT_FOUND, f"there is no such call; there are: {known}")
        return handler


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except ValueError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None
