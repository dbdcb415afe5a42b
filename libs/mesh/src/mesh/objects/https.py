"""Files of a web server. The address is looked up once, judged, and then connected to as it is, so
that a name cannot lead to another place than the one that was judged; no redirect is followed.
"""

import asyncio
import http.client
import ipaddress
import re
import socket
import ssl
import time
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final

from mesh.objects import refusals
from mesh.objects.places import ObjectPlace
from mesh.objects.stores import Object, Patience
from mesh.objects.uris import Uri
from mesh.telemetry import logging

HTTPS_PORT: Final = 443
READ_BYTES: Final = 256 * 1024
RETRY_FIRST_SECONDS: Final = 0.1
USER_AGENT: Final = "heliograph"

_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_EMPTY: Final = re.compile(r"bytes \*/0")

_log = logging.get(__name__)


class _PassingError(Exception):
    """What may pass."""


class WebStore:
    """One web server, read by ranges (RFC 9110, section 14)."""

    def __init__(self, place: ObjectPlace, uri: Uri, patience: Patience) -> None:
        host, _, port = uri.bucket.partition(":")
        self._host, self._port = host, int(port or HTTPS_PORT)
        self._root = f"https://{uri.bucket}/"
        self._private = place.private_addresses
        self._patience = patience
        self._tls = ssl.create_default_context()
        if place.authority_file:
            self._tls.load_verify_locations(place.authority_file)

    async def head(self, key: str) -> Object:
        """The object of a key."""
        found, _ = await self._ask(key, 0, 1)
        return found

    async def read(self, found: Object, start: int, end: int) -> bytes:
        """Bytes of an object; OBJECT_CHANGED when it is another one by now."""
        now, data = await self._ask(found.key, start, min(end, found.size_bytes))
        if now != found:
            raise refusals.changed(self._root + found.key)
        return data

    async def below(self, prefix: str, most: int) -> list[Object]:
        """A web server lists nothing."""
        raise refusals.malformed("a web server cannot be asked what is below a path: name a file")

    async def put(self, key: str, file: Path) -> None:
        """A web server takes nothing."""
        raise refusals.malformed("nothing is written to a web server")

    async def delete(self, keys: list[str]) -> None:
        """A web server takes nothing."""
        raise refusals.malformed("nothing is deleted from a web server")

    async def _ask(self, key: str, start: int, end: int) -> tuple[Object, bytes]:
        """A range of a file, asked for again while it may pass."""
        pause, until = RETRY_FIRST_SECONDS, time.monotonic() + self._patience.retry_seconds
        for _ in range(self._patience.retries_max):
            try:
                return await asyncio.to_thread(self._get, key, start, end)
            except ssl.SSLCertVerificationError:
                raise refusals.not_trusted(self._root + key) from None
            except (_PassingError, OSError, HTTPException) as error:
                _log.warning("object_store.retried", uri=self._root + key, error=repr(error))
                if time.monotonic() + pause > until:
                    break
            await asyncio.sleep(pause)
            pause *= 2
        raise refusals.unavailable(self._root + key)

    def _get(self, key: str, start: int, end: int) -> tuple[Object, bytes]:
        until = time.monotonic() + self._patience.request_seconds
        addresses = self._addresses(key)
        connection = _Judged(self._host, self._port, addresses, self._tls, self._patience)
        try:
            headers = {"Range": f"bytes={start}-{end - 1}", "User-Agent": USER_AGENT}
            connection.request("GET", f"/{key}", headers={**headers, "Accept-Encoding": "identity"})
            response = connection.getresponse()
            size = self._size(key, response, start)
            data = _body(response, min(end, size) - start, until) if size > start else b""
        finally:
            connection.close()
        etag = response.getheader("ETag") or response.getheader("Last-Modified") or ""
        return Object(key, size, etag), data

    def _size(self, key: str, response: HTTPResponse, start: int) -> int:
        """The size of the whole file, by an answer that has the range that was asked for."""
        uri, said = self._root + key, response.getheader("Content-Range") or ""
        if response.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and _EMPTY.match(said):
            return 0
        if response.status == http.client.PARTIAL_CONTENT and (found := _RANGE.fullmatch(said)):
            if int(found[1]) != start:
                raise refusals.of_status(uri, response.status)
            return int(found[3])
        error = refusals.of_status(uri, response.status)
        raise _PassingError(response.status) if error.code == "UNAVAILABLE" else error

    def _addresses(self, key: str) -> list[str]:
        """The addresses of the host; refuses a host that has one which is not on the internet."""
        answers = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        addresses = [str(answer[4][0]) for answer in answers]
        if not self._private and not all(map(is_public, addresses)):
            description = "the host has an address that is not on the internet"
            raise refusals.not_allowed("OBJECT_ADDRESS_NOT_ALLOWED", self._root + key, description)
        return addresses


class _Judged(http.client.HTTPSConnection):
    """A connection to one of the addresses that were judged, verified by the name of the host."""

    def __init__(
        self, host: str, port: int, addresses: list[str], tls: ssl.SSLContext, patience: Patience
    ) -> None:
        super().__init__(host, port, timeout=patience.connect_seconds, context=tls)
        self._addresses = addresses
        self._tls = tls
        self._patience = patience

    def connect(self) -> None:
        """Connect to an address that was judged, whatever the name leads to by now."""
        raw = self._first()
        try:
            self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)
        except BaseException:
            raw.close()
            raise
        self.sock.settimeout(self._patience.request_seconds)

    def _first(self) -> socket.socket:
        """A connection to the first address that takes one."""
        for address in self._addresses[:-1]:
            with suppress(OSError):
                return socket.create_connection((address, self.port), self.timeout)
        return socket.create_connection((self._addresses[-1], self.port), self.timeout)


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, also where it stands for one of IPv4."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            found = inner
        elif found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.is_global and not found.is_multicast


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _body(response: HTTPResponse, wanted: int, until: float) -> bytes:
    """So many bytes of an answer, in time."""
    parts: list[bytes] = []
    while wanted > 0:
        part = response.read(min(READ_BYTES, wanted))
        if not part or time.monotonic() > until:
            raise _PassingError
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)
