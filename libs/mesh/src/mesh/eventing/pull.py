"""Pulling from a durable consumer: what is there at once, else the first that comes.

The client library's own `fetch` waits for the whole batch until its timeout, which would delay a
single message by that time.
"""

import asyncio
import contextlib
import json
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import TimeoutError as NatsTimeoutError

HEARTBEAT_SECONDS = 1.0
SILENCE_MAX_SECONDS = 3.0
"""Without message and heartbeat for so long, the request is lost: the server was restarted."""

NO_MESSAGES = "404"
EXPIRED = "408"
CONFLICT = "409"
NO_RESPONDERS = "503"
HEARTBEAT = "100"


class ConsumerMissingError(Exception):
    """The durable consumer does not answer: it is deleted, or its server is just starting."""


class Pull:
    """The inbox of one process on one durable consumer; `fetch` must not be called concurrently."""

    def __init__(self, client: Client, stream: str, durable: str) -> None:
        self._client = client
        self._next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._request_count = 0

    async def open(self) -> None:
        """Subscribe to the inbox."""
        self._subscription = await self._client.subscribe(f"{self._inbox}.*")

    async def close(self) -> None:
        """Give up the inbox; what is still on its way is delivered again after the ack wait."""
        if self._subscription is not None and not self._client.is_closed:
            await self._subscription.unsubscribe()

    async def fetch(self, limit: int, wait_seconds: float) -> list[Msg]:
        """Up to `limit` messages that are there now, else the first within `wait_seconds`.

        Raises ConsumerMissingError, and nats errors when the connection is closed.
        """
        now = asyncio.get_running_loop().time
        end = now() + wait_seconds
        # With both, the server waits until it has something, and no longer.
        one_shot = {"no_wait": True, **_lingering(wait_seconds)}
        messages = await self._request(limit, one_shot, wait_seconds)
        left = end - now()
        if messages or left < HEARTBEAT_SECONDS:
            return messages
        # It refuses at once while others wait for more than there is: stand in line behind them.
        return await self._request(1, _lingering(left), left)

    async def _request(self, limit: int, options: dict[str, Any], wait_seconds: float) -> list[Msg]:
        self._request_count += 1
        reply = f"{self._inbox}.{self._request_count}"
        request = json.dumps({"batch": limit, **options}).encode()
        await self._client.publish(self._next_subject, request, reply=reply)
        messages: list[Msg] = []
        deadline = asyncio.get_running_loop().time() + wait_seconds + SILENCE_MAX_SECONDS
        with contextlib.suppress(NatsTimeoutError):
            while len(messages) < limit:
                message = await self._next(deadline)
                status = (message.headers or {}).get("Status") if not message.reply else None
                if status is None:
                    messages.append(message)
                elif message.subject == reply and (_ends(status, message) or messages):
                    break
        return messages

    async def _next(self, deadline: float) -> Msg:
        assert self._subscription is not None
        left = deadline - asyncio.get_running_loop().time()
        return await self._subscription.next_msg(timeout=max(0.001, min(left, SILENCE_MAX_SECONDS)))


def _lingering(wait_seconds: float) -> dict[str, int]:
    options = {"expires": int(wait_seconds * 1e9)}
    if wait_seconds > 2 * HEARTBEAT_SECONDS:
        options["idle_heartbeat"] = int(HEARTBEAT_SECONDS * 1e9)
    return options


def _ends(status: str, message: Msg) -> bool:
    """Whether this status ends the request."""
    description = (message.headers or {}).get("Description", "")
    if status == NO_RESPONDERS or (status == CONFLICT and "Consumer Deleted" in description):
        raise ConsumerMissingError(description)
    return status != HEARTBEAT
