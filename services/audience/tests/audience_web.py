"""A web server with a certificate of its own, on a socket: files by ranges, and awkward answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from localmesh.peers.authority import Authority


class WebServer:
    """What it serves: bytes by path, or a status; what it was asked for is in `requests`."""

    def __init__(self, port: int, authority_file: Path) -> None:
        self.host = f"localhost:{port}"
        self.authority_file = str(authority_file)
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, int] = {}
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.has_ranges = True


class _Handler(BaseHTTPRequestHandler):
    web: WebServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        web, body = self.web, self._body()
        web.requests.append((self.command, self.path, dict(self.headers)))
        del body
        path = self.path.partition("?")[0]
        data = web.files.get(path)
        if (status := web.answers.get(path, 200 if data is not None else 404)) != 200:
            self._send(status, b"", web.headers)
        elif web.has_ranges and data is not None:
            self._range(data)
        else:
            self._send(200, data or b"", {})

    do_GET = do_HEAD = do_PUT = do_POST = _answer  # noqa: N815 - the names are http.server's

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _range(self, data: bytes) -> None:
        begin, _, end = self.headers["Range"].removeprefix("bytes=").partition("-")
        if int(begin) >= len(data):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        part = data[int(begin) : int(end) + 1]
        place = f"bytes {begin}-{int(begin) + len(part) - 1}/{len(data)}"
        self._send(206, part, {"Content-Range": place, "ETag": f'"{hash(data)}"'})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@contextmanager
def web_serving(folder: Path, *, tls: bool = True) -> Iterator[WebServer]:
    """A server at `localhost`."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    web = WebServer(server.server_port, folder / "ca.pem")
    handler.web = web
    if tls:
        context = Authority(folder).server_context()
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
