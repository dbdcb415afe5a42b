"""The client side: keeps one bind to a carrier, and sends over it in batches."""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import structlog
from mesh.cancelling import cancelled
from mesh.pace import Pace
from mesh.smpp.failures import (
    BindRefusedError,
    BindUnansweredError,
    LinkError,
    LinkLostError,
    UnreachableError,
)
from mesh.smpp.inbox import Replies, Reply
from mesh.smpp.limits import Limits
from mesh.smpp.pdu import Bind, DeliverSm, SubmitSm
from mesh.smpp.role import ESME
from mesh.smpp.session import Session
from mesh.smpp.status import Status
from mesh.smpp.tlv import FieldError
from mesh.smpp.window import NOT_SENT, Answer

_log = structlog.get_logger(__name__)

Delivered = Callable[[Sequence[DeliverSm]], Awaitable[Replies | None]]
"""Persists what came from the carrier. It is acknowledged when this returns, or answered as the
replies say; if it raises, the carrier is told to send it again."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where a carrier is, who we are there, and what the contract allows."""

    host: str
    port: int
    bind: Bind
    submits_per_second: float = float("inf")
    limits: Limits = field(default_factory=Limits)
    connect_timeout_seconds: float = 10.0
    reconnect_seconds_min: float = 0.2
    reconnect_seconds_max: float = 30.0
    tls: ssl.SSLContext | None = None


class Esme:
    """A bind that is made again whenever it is lost.

    `failure` tells why there is no bind now. Binds refused for their credentials are tried again
    at the slowest rate, since some carriers lock an account after a few.
    """

    def __init__(self, carrier: Carrier, delivered: Delivered) -> None:
        self._carrier = carrier
        self._delivered = delivered
        self._pace = Pace(carrier.submits_per_second)
        self._session: Session | None = None
        self._bound = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.failure: LinkError | None = None

    @property
    def is_bound(self) -> bool:
        """Whether messages can be sent now."""
        return self._session is not None and self._session.is_open

    @property
    def in_flight(self) -> int:
        """How many messages wait for their answer."""
        return self._session.in_flight if self._session else 0

    async def submit_many(
        self,
        pdus: Sequence[SubmitSm],
        *,
        urgent: bool = False,
        timeout_seconds: float | None = 60.0,
        settled: Callable[[int], None] = lambda _: None,
    ) -> list[Answer]:
        """Sends messages over the present bind; returns their answers in the same order.

        Without a bind all are NOT_SENT at once. What was written when the link broke, or was not
        answered in time, is UNKNOWN. Nothing is sent a second time by itself. `settled` hears the
        index of each message as soon as it has its answer.
        """
        if self._session is None:
            return [NOT_SENT] * len(pdus)
        return await self._session.exchange(
            pdus, urgent=urgent, timeout_seconds=timeout_seconds, settled=settled
        )

    async def wait_bound(self, timeout_seconds: float) -> None:
        """Returns when bound; raises the last LinkError, or TimeoutError if there was none."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._bound.wait()
        except TimeoutError:
            raise self.failure or TimeoutError() from None

    def start(self) -> None:
        """Begins to keep the bind; returns before it is there."""
        self._keeper = asyncio.create_task(self._keep_bound())

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Awaits answers, unbinds and stays away."""
        if self._keeper is not None:
            await cancelled(self._keeper)
        if self._session is not None:
            await self._session.close(grace_seconds)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _keep_bound(self) -> None:
        delay_seconds = self._carrier.reconnect_seconds_min
        while True:
            try:
                self._session = await self._connect()
            except LinkError as failure:
                self._note(failure)
            else:
                delay_seconds = self._carrier.reconnect_seconds_min
                await self._stay(self._session)
            await asyncio.sleep(self._jittered(delay_seconds))
            delay_seconds = self._next_delay_seconds(delay_seconds)

    async def _stay(self, session: Session) -> None:
        """Returns when the bind is lost."""
        self.failure = None
        self._bound.set()
        _log.info("smpp.bound", host=self._carrier.host, port=self._carrier.port)
        reason = await asyncio.shield(session.lost)
        self._bound.clear()
        self._session = None
        self._note(LinkLostError(reason))

    async def _connect(self) -> Session:
        carrier = self._carrier
        session = Session(ESME, self._handle, limits=carrier.limits, pace=self._pace)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(carrier.connect_timeout_seconds):
                await loop.create_connection(
                    lambda: session, carrier.host, carrier.port, ssl=carrier.tls
                )
        except (OSError, TimeoutError) as error:
            raise UnreachableError(carrier.host, carrier.port, error) from error
        await self._bind(session)
        return session

    async def _bind(self, session: Session) -> None:
        carrier = self._carrier
        try:
            status = await session.ask_to_bind(carrier.bind)
            if status != Status.ESME_ROK:
                raise BindRefusedError(carrier.host, carrier.port, carrier.bind.system_id, status)
        except FieldError as error:
            raise BindRefusedError(
                carrier.host, carrier.port, carrier.bind.system_id, error.status
            ) from error
        except (LinkLostError, TimeoutError) as error:
            raise BindUnansweredError(carrier.host, carrier.port, error or "in time") from error
        finally:
            if session.bind is None:
                session.drop("not bound")
                await session.lost

    async def _handle(self, pdus: Sequence[DeliverSm]) -> Replies:
        replies = await self._delivered(pdus)
        return [Reply()] * len(pdus) if replies is None else replies

    def _note(self, failure: LinkError) -> None:
        """Logs a failure once, and again only when it changes."""
        if str(failure) != str(self.failure):
            _log.warning("smpp.not_bound", reason=str(failure))
        self.failure = failure

    def _next_delay_seconds(self, delay_seconds: float) -> float:
        if isinstance(self.failure, BindRefusedError) and self.failure.is_about_credentials:
            return self._carrier.reconnect_seconds_max
        return min(self._carrier.reconnect_seconds_max, delay_seconds * 2)

    @staticmethod
    def _jittered(delay_seconds: float) -> float:
        """Many processes that lost the same carrier must not come back in the same moment."""
        return delay_seconds * random.uniform(0.5, 1.0)


async def probe(carrier: Carrier) -> None:
    """Binds and unbinds once; raises the LinkError that says why it cannot."""
    session = await Esme(carrier, _ignore)._connect()
    await session.close()


async def _ignore(_: Sequence[DeliverSm]) -> None:
    """Nobody listens during a probe; use it with a bind that only sends."""
