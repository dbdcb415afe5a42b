"""Answers of ClickHouse's HTTP protocol: results, and errors with their codes."""

import asyncio
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from mesh.embedded.clickhouse_engine import Engine, Result
from mesh.embedded.clickhouse_query import Query, UnsupportedError, read_query
from mesh.embedded.http_server import Request, Response

# The engine computes one query on all cores; more threads only let small queries pass long ones.
_THREADS = 8
_CODE = re.compile(r"Code: (\d+)")
_NOT_IMPLEMENTED_CODE = 48

# The statuses that ClickHouse gives to its codes (exceptionCodeToHTTPStatus); 500 for all others.
_STATUS_OF_CODE = {
    **dict.fromkeys((27, 41, 43, 53, 62, 63, 72, 115, 386), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys((16, 46, 60, 81), HTTPStatus.NOT_FOUND),
    159: HTTPStatus.REQUEST_TIMEOUT,
    _NOT_IMPLEMENTED_CODE: HTTPStatus.NOT_IMPLEMENTED,
}


class ClickHouseHttp:
    """Handles requests by running them on the engine, a few at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="query")

    def close(self) -> None:
        """Let the running queries end."""
        self._threads.shutdown(cancel_futures=True)

    async def answer(self, request: Request) -> Response:
        """The response to any request; errors of the engine are responses too."""
        if request.path in ("/ping", "/replicas_status"):
            return Response(b"Ok.\n")
        if request.path != "/":
            return Response(f"There is no handle {request.path}\n".encode(), HTTPStatus.NOT_FOUND)
        try:
            return await self._run(read_query(request))
        except UnsupportedError as error:
            return _failure(f"Code: {_NOT_IMPLEMENTED_CODE}. DB::Exception: {error}")
        except (RuntimeError, UnicodeDecodeError) as error:
            return _failure(str(error))

    async def _run(self, query: Query) -> Response:
        if not query.text:
            return Response(b"Ok.\n")
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._threads, self._engine.run, query)
        return Response(result.body, headers=_headers(query, result))


def _headers(query: Query, result: Result) -> dict[str, str]:
    summary = {
        "read_rows": str(result.rows_read),
        "written_rows": str(result.rows_written),
        "elapsed_ns": str(int(result.elapsed_seconds * 1e9)),
    }
    return {
        "X-ClickHouse-Query-Id": query.query_id or str(uuid.uuid4()),
        "X-ClickHouse-Format": result.format,
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Server-Display-Name": "embedded",
        "X-ClickHouse-Summary": json.dumps(summary),
    }


def _failure(message: str) -> Response:
    found = _CODE.search(message)
    code = int(found.group(1)) if found else 0
    return Response(
        message.encode() + b"\n",
        _STATUS_OF_CODE.get(code, HTTPStatus.INTERNAL_SERVER_ERROR),
        {"X-ClickHouse-Exception-Code": str(code), "Content-Type": "text/plain; charset=UTF-8"},
    )
