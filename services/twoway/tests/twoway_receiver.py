"""An application's own web server: HTTPS on a socket, with a certificate of its own authority."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass
class Posted:
    """One post as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """What the person wrote."""
        said: str = json.loads(self.body)["data"]["text"]
        return said

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is made with this secret, computed anew."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        prefix = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        digest = hmac.new(key, prefix + self.body, hashlib.sha256).digest()
        expected = f"v1,{base64.b64encode(digest).decode()}"
        return expected in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """A server that answers each path with what it is told, in turn, and then with 200."""

    base: str = ""
    authority_file: str = ""
    posts: list[Posted] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    held: threading.Event = field(default_factory=threading.Event)
    """The path /slow answers when this is set."""

    def texts(self, path: str = "/in") -> list[str]:
        """What was posted to a path, in the order it came."""
        return [post.text for post in self.posts if post.path == path]


@contextmanager
def listening(folder: Path) -> Iterator[Receiver]:
    """A server for the time of the block."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.base = f"https://localhost:{server.server_port}"
    receiver.authority_file = str(folder / "ca.pem")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.held.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One post."""

        def do_POST(self) -> None:
            """Write it down and answer."""
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/slow":
                receiver.held.wait()
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.posts.append(Posted(self.path, headers, body))
            answers = receiver.answers[self.path]
            status = answers.pop(0) if answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
