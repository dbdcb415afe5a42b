"""The FCM driver: notifications out over HTTP/2, many requests on one connection."""

import asyncio
import random
from collections.abc import Sequence

import orjson
from heliograph.messaging.v1.channel_pb2 import Channel
from mesh.backoff import Backoff
from mesh.cancelling import cancelled
from mesh.telemetry import logging
from pyreqwest.client import Client
from pyreqwest.exceptions import PyreqwestError

from messaging.channels.channel import Answered, Listener, nobody
from messaging.channels.fcm import answers, configuration, payloads, transport
from messaging.channels.fcm.tokens import AccessTokens, TokenError
from messaging.channels.outcomes import Later, Outcome, Unknown
from messaging.channels.outgoing import Outgoing, RenderedPush
from messaging.channels.sets import NOT_BEGUN, Sets

_log = logging.get(__name__)


_BACKOFF = Backoff(first_seconds=0.5, max_seconds=30.0)
_REST_SECONDS = 1.0
_CLOSE_GRACE_SECONDS = 5.0


class FcmDriver:
    """One channel's project. FCM reports nothing by itself."""

    def __init__(self, channel: Channel, _: Listener) -> None:
        self._configuration = configuration.read(channel)
        self._sets = Sets(channel.rate_per_second, self._configuration.window)
        self._places = asyncio.Semaphore(self._configuration.window)
        self._client: Client | None = None
        self._tokens: AccessTokens | None = None
        self._signing_in: asyncio.Task[None] | None = None
        self._resting_until_seconds = 0.0

    @property
    def ready(self) -> bool:
        """Whether there is an access token, and FCM was not away a moment ago."""
        is_resting = asyncio.get_running_loop().time() < self._resting_until_seconds
        return self._tokens is not None and self._tokens.is_there and not is_resting

    @property
    def rate_per_second(self) -> float:
        """What the channel allows."""
        return self._configuration.rate_per_second

    @property
    def window(self) -> int:
        """Requests under way."""
        return self._configuration.window

    async def open(self) -> None:
        """Begins to sign in."""
        self._client = transport.client()
        self._tokens = AccessTokens(self._client, self._configuration.account)
        self._sign_in(self._tokens)

    async def close(self) -> None:
        """Waits some seconds for answers to what is under way, then disconnects."""
        client, self._client, self._tokens = self._client, None, None
        if self._signing_in is not None:
            await cancelled(self._signing_in)
        try:
            async with asyncio.timeout(_CLOSE_GRACE_SECONDS):
                for _ in range(self.window):
                    await self._places.acquire()
        except TimeoutError:
            _log.warning("fcm.closed_under_way")
        if client is not None:
            await client.close()

    async def hand_over(
        self, messages: Sequence[Outgoing], answered: Answered = nobody, *, urgent: bool = False
    ) -> Sequence[Outcome]:
        """Sends a set."""
        return await self._sets.hand_over(messages, self._one, lambda: self.ready, answered)

    async def verify(self) -> str:
        """Signs in once; the token server's words if it refuses."""
        async with transport.client() as client:
            try:
                await AccessTokens(client, self._configuration.account).get()
            except TokenError as error:
                return str(error)
        return ""

    async def _one(self, message: Outgoing) -> Outcome:
        if not isinstance(message.content, RenderedPush):
            raise TypeError(f"{type(message.content).__name__} cannot be sent as a push")
        body = orjson.dumps(payloads.make(message.address, message.content))
        async with self._places:
            try:
                return await self._send(body)
            except TokenError as error:
                return self._away(str(error))
            except PyreqwestError as error:
                if transport.is_unsent(error):
                    return self._away(error.message)
                return Unknown(error.message)

    async def _send(self, body: bytes) -> Outcome:
        """A refused access token is renewed once; the message was not looked at."""
        status, answer, retry_after = await self._post(body)
        if answers.is_about_access(status, answer):
            status, answer, retry_after = await self._post(body)
        return answers.outcome(status, answer, retry_after)

    async def _post(self, body: bytes) -> tuple[int, bytes, str | None]:
        if self._client is None or self._tokens is None:
            raise TokenError(NOT_BEGUN.code)
        tokens = self._tokens
        token = await tokens.get()
        request = self._client.post(self._configuration.send_url).bearer_auth(token)
        request = request.header("content-type", "application/json").body_bytes(body)
        response = await request.build().send()
        answer = bytes(await response.bytes())
        if answers.is_about_access(response.status, answer):
            tokens.discard(token)
            self._sign_in(tokens)
        return response.status, answer, response.get_header("retry-after")

    def _away(self, reason: str) -> Later:
        """Nothing more is begun for a moment."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._resting_until_seconds:
            _log.warning("fcm.away", reason=reason)
        self._resting_until_seconds = loop.time() + _REST_SECONDS
        return Later(_REST_SECONDS, reason)

    def _sign_in(self, tokens: AccessTokens) -> None:
        if self._signing_in is None or self._signing_in.done():
            self._signing_in = asyncio.create_task(_signed_in(tokens))


async def _signed_in(tokens: AccessTokens) -> None:
    """Returns when there is a token."""
    attempt = 0
    while not tokens.is_there:
        attempt += 1
        try:
            await tokens.get()
        except TokenError as error:
            _log.warning("fcm.not_signed_in", reason=str(error))
            await asyncio.sleep(_BACKOFF.after(attempt) * random.uniform(0.5, 1.0))
