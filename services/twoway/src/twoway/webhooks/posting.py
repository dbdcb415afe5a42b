"""One post: to an address that was judged, within bounds, led nowhere else."""

import asyncio
import ipaddress
import random
import socket
from datetime import timedelta

from mesh import web
from mesh.errors import Error
from mesh.objects.https import is_public
from pyreqwest.client import Client
from pyreqwest.exceptions import PyreqwestError

from twoway.webhooks.rules import Webhooks, not_allowed
from twoway.webhooks.store import Failure

CONNECT_SECONDS_MAX = 5.0
POST_SECONDS_MAX = 10.0
USER_AGENT = "heliograph"


class UnreachableError(Exception):
    """There is nobody to post to; the message says why."""


class Poster:
    """Posts to addresses of applications."""

    def __init__(
        self,
        webhooks: Webhooks,
        authority_file: str = "",
        post_seconds_max: float = POST_SECONDS_MAX,
    ) -> None:
        """`authority_file` is a PEM authority that is trusted beside the system's."""
        self._webhooks = webhooks
        self._authority_file = authority_file
        self._post_seconds_max = post_seconds_max

    async def client(self, uri: str) -> Client:
        """A client that reaches the address of the uri as it is now, and no other.

        Raises UnreachableError for a host that is not known, or not on the internet.
        """
        try:
            parts = self._webhooks.check(uri)
        except Error as error:
            raise UnreachableError(str(error)) from None
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._address(uri, host, port)
        builder = (
            web.builder(self._post_seconds_max, CONNECT_SECONDS_MAX, self._authority_file)
            .https_only(not self._webhooks.http_allowed)
            .no_proxy()
            .user_agent(USER_AGENT)
        )
        if not _is_address(host):
            builder = builder.resolve(host, address, port)
        return builder.build()

    async def post(
        self, client: Client, uri: str, headers: dict[str, str], body: bytes
    ) -> Failure | None:
        """Why the message was not taken over; None when it was. An answer's body is not read."""
        try:
            request = client.post(uri).headers(headers).body_bytes(body)
            timeout = timedelta(seconds=self._post_seconds_max)
            async with request.timeout(timeout).build_streamed() as response:
                status: int = response.status
        except (PyreqwestError, TimeoutError) as error:
            return Failure(type(error).__name__)
        return None if 200 <= status < 300 else Failure(f"answered {status}", status)

    async def _address(self, uri: str, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise UnreachableError(f"{host} is not known: {error.strerror}") from None
        addresses = [str(answer[4][0]) for answer in answers]
        if not self._webhooks.private_addresses_allowed and not all(map(is_public, addresses)):
            raise UnreachableError(str(not_allowed(uri, "its host is not on the internet")))
        # Another one the next time, in case that this one does not answer.
        return random.choice(addresses)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
