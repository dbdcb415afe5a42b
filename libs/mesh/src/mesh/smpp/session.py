"""One SMPP connection, the same from either side: it asks, it answers, it watches its peer."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import structlog
from mesh.pace import Pace
from mesh.smpp import codec
from mesh.smpp.answering import Answering
from mesh.smpp.failures import LinkLostError
from mesh.smpp.framing import Frame, Framer, FramingError
from mesh.smpp.inbox import Handle
from mesh.smpp.limits import Limits
from mesh.smpp.pdu import RESPONSE_BIT, Bare, Bind, Command, DeliverSm, Pdu, SubmitSm
from mesh.smpp.role import Role
from mesh.smpp.status import Status
from mesh.smpp.watch import Verdict, Watch
from mesh.smpp.window import Answer, Exchange, Window
from mesh.smpp.wire import Wire

_log = structlog.get_logger(__name__)


class Session(asyncio.Protocol):
    """A connection to one peer; `role` says which side this is.

    `lost` resolves with the reason when the connection has ended. `on_bound` is called when a
    peer has bound, after its answer is queued.
    """

    def __init__(
        self,
        role: Role,
        handle: Handle,
        *,
        limits: Limits | None = None,
        pace: Pace | None = None,
        on_bound: Callable[["Session"], None] = lambda _: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._role = role
        self._handle = handle
        self._limits = limits or Limits()
        self._on_bound = on_bound
        self._framer = Framer(self._limits.pdu_octets_max)
        self._window = Window(self._limits.window, pace or Pace())
        self._watch = Watch(self._limits, self._loop.time())
        self._questions: dict[int, asyncio.Future[Frame]] = {}
        self._binding: Bind | None = None
        self._reason = "the peer closed the connection"
        self._is_closing = False
        self.lost: asyncio.Future[str] = self._loop.create_future()

    @property
    def bind(self) -> Bind | None:
        """What the session is bound as, if it is."""
        return self._answering.bind

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self.bind is not None and not self._is_closing and self._wire.is_open

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._window)

    # What is asked of the peer.

    async def exchange(
        self,
        pdus: Sequence[SubmitSm] | Sequence[DeliverSm],
        *,
        urgent: bool = False,
        timeout_seconds: float | None = None,
        settled: Callable[[int], None] = lambda _: None,
    ) -> list[Answer]:
        """Sends requests within window and pace; returns their answers in the same order.

        Urgent batches go ahead of what waits. After `timeout_seconds` nothing more is written:
        the rest is NOT_SENT, and what is in flight is waited for. A cancelled call writes nothing
        more either. `settled` hears the index of each as soon as it has its answer.
        """
        exchange = Exchange(pdus, settled)
        if self.is_open:
            self._window.add(exchange, urgent=urgent)
            self._wire.flush_soon()
            try:
                await asyncio.wait({exchange.done}, timeout=timeout_seconds)
            finally:
                exchange.withdraw()
            await exchange.done
        return exchange.answers

    async def ask_to_bind(self, bind: Bind) -> int:
        """Binds; returns the status. Raises LinkLostError, or TimeoutError if unanswered."""
        self._binding = bind
        frame = await self._ask(bind, self._limits.bind_timeout_seconds)
        if frame.command == Command.GENERIC_NACK:
            return frame.status or Status.ESME_RBINDFAIL
        return frame.status

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Ends politely within `grace_seconds`: awaits answers, gives its own, and unbinds."""
        self._is_closing = True
        self._window.withdraw_waiting()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._window.drained()
                await self._answering.finish()
                if self.bind is not None:
                    await self._ask(Bare(Command.UNBIND), grace_seconds)
        except (TimeoutError, LinkLostError) as error:
            _log.info("smpp.closed_without_unbind", reason=str(error))
        self.drop("closed on this side")
        await self.lost
        await self._answering.finish()

    def drop(self, reason: str) -> None:
        """Ends the connection at once, without a word to the peer."""
        if not self.lost.done():
            self._reason = reason
            self._wire.abort()

    async def _ask(self, pdu: Pdu, timeout_seconds: float) -> Frame:
        """One question outside of the window: bind and unbind."""
        if self.lost.done():
            raise LinkLostError(self.lost.result())
        sequence = self._window.next_sequence()
        octets = codec.encode(pdu, sequence)
        answer: asyncio.Future[Frame] = self._loop.create_future()
        self._questions[sequence] = answer
        self._wire.write(octets)
        self._wire.flush()
        try:
            # Python 3.11's `wait_for` forgets a cancellation that comes with the answer.
            async with asyncio.timeout(timeout_seconds):
                return await answer
        finally:
            self._questions.pop(sequence, None)

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = Wire(cast(asyncio.Transport, transport), self._more)
        self._answering = Answering(
            self._role,
            self._handle,
            self._limits,
            self._wire,
            on_bound=partial(self._on_bound, self),
            end=self._end,
        )
        self._opened_seconds = self._loop.time()
        self._timer = self._loop.call_later(self._limits.tick_seconds, self._tick)

    def data_received(self, data: bytes) -> None:
        self._watch.heard(self._loop.time())
        try:
            for frame in self._framer.feed(data):
                if frame.command & RESPONSE_BIT:
                    self._take_response(frame)
                else:
                    self._answering.take(frame)
        except FramingError as error:
            self._answering.answer(Command.GENERIC_NACK, error.sequence, Status.ESME_RINVCMDLEN)
            self._end(str(error))
        else:
            self._wire.flush()

    def pause_writing(self) -> None:
        self._wire.pause()

    def resume_writing(self) -> None:
        self._wire.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._wire.detach()
        self._window.abandon()
        self._answering.forget()
        reason = str(exc) if exc else self._reason
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(LinkLostError(reason))
        self.lost.set_result(reason)

    # What follows from it.

    def _take_response(self, frame: Frame) -> None:
        """A response is never answered; one that nobody waits for is late, and passed over."""
        if self._window.settle(frame, self._loop.time()):
            return
        answer = self._questions.pop(frame.sequence, None)
        if answer is None or answer.done():
            return
        answer.set_result(frame)
        if self._binding is not None and frame.command == self._binding.command | RESPONSE_BIT:
            self._take_bind_response(frame.status)

    def _take_bind_response(self, status: int) -> None:
        """Takes effect at once: what waited at the carrier follows in the same read."""
        self._answering.bind = self._binding if status == Status.ESME_ROK else None
        self._binding = None

    def _more(self) -> list[bytes]:
        """Fills the window; if the pace holds something back, comes again when it does not."""
        now = self._loop.time()
        requests = self._window.take(now)
        if self._window.is_held_back:
            self._wire.flush_in(self._window.wait_seconds(now))
        return requests

    def _end(self, reason: str) -> None:
        self._reason = reason
        self._is_closing = True
        self._wire.close()

    def _tick(self) -> None:
        now = self._loop.time()
        self._timer = self._loop.call_later(self._limits.tick_seconds, self._tick)
        if self._window.expire(now - self._limits.response_timeout_seconds):
            self._wire.flush_soon()
        verdict = self._watch.look(now)
        if verdict is Verdict.GONE:
            self.drop("the peer did not answer enquire_link")
        elif self.bind is None and now - self._opened_seconds > self._limits.bind_timeout_seconds:
            self.drop("the peer did not bind in time")
        elif verdict is Verdict.ASK:
            self._wire.write(
                codec.encode_header(Command.ENQUIRE_LINK, self._window.next_sequence())
            )
            self._wire.flush_soon()
