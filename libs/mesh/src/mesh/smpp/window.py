"""Requests on their way: what waits, what is in flight, and how each one ended."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from mesh.pace import Pace
from mesh.smpp import codec, tlv
from mesh.smpp.framing import Frame
from mesh.smpp.pdu import RESPONSE_BIT, Command, DeliverSm, SubmitSm
from mesh.smpp.status import THROTTLING, Status
from mesh.smpp.tlv import FieldError

_SEQUENCE_MAX = 0x7FFFFFFF
_OCTETS_PER_WRITE = 128 * 1024


class Outcome(Enum):
    """How a request ended, as far as this side can know."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The peer will not take it; `status` says why. A field that cannot be encoded ends so too."""
    THROTTLED = "throttled"
    """Not taken now; welcome later."""
    NOT_SENT = "not sent"
    """Never written to the link. Sending it again cannot make it twice."""
    UNKNOWN = "unknown"
    """Written, but the link broke or the answer did not come in time. It may have been taken."""


class Answer(NamedTuple):
    """The end of one request; `message_id` is the peer's, for what it accepted."""

    outcome: Outcome
    status: int = Status.ESME_ROK
    message_id: str = ""


NOT_SENT = Answer(Outcome.NOT_SENT)
UNKNOWN = Answer(Outcome.UNKNOWN)


class Exchange:
    """Requests that are sent and answered as one batch, each within the window.

    `settled` is called with the index of each request that has been written and has its answer.
    """

    __slots__ = ("_settled", "answers", "done", "next", "open", "pdus")

    def __init__(
        self,
        pdus: Sequence[SubmitSm] | Sequence[DeliverSm],
        settled: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.pdus = pdus
        self._settled = settled
        self.answers: list[Answer] = [NOT_SENT] * len(pdus)
        self.next = 0
        self.open = len(pdus)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._finish_if_settled()

    def settle(self, index: int, answer: Answer) -> None:
        """Notes how one request ended."""
        self.answers[index] = answer
        self.open -= 1
        self._settled(index)
        self._finish_if_settled()

    def withdraw(self) -> None:
        """Leaves what has not been written as NOT_SENT."""
        self.open -= len(self.pdus) - self.next
        self.next = len(self.pdus)
        self._finish_if_settled()

    def _finish_if_settled(self) -> None:
        if not self.open and not self.done.done():
            self.done.set_result(None)


class _InFlight(NamedTuple):
    exchange: Exchange
    position: int
    command: int
    sent_at_seconds: float


class Window:
    """At most `size` requests in flight; urgent ones go before the others.

    No task and no timer a message: the session asks for what may be written (`take`) and tells
    what came back (`settle`).
    """

    def __init__(self, size: int, pace: Pace) -> None:
        self._size = size
        self._pace = pace
        self._urgent: deque[Exchange] = deque()
        self._waiting: deque[Exchange] = deque()
        self._in_flight: dict[int, _InFlight] = {}
        self._sequence = 0

    def __len__(self) -> int:
        """How many requests are in flight."""
        return len(self._in_flight)

    @property
    def is_held_back(self) -> bool:
        """Whether something waits although the window has room: the pace says when it may go."""
        return len(self._in_flight) < self._size and self._front() is not None

    def add(self, exchange: Exchange, *, urgent: bool = False) -> None:
        """Queues a batch."""
        (self._urgent if urgent else self._waiting).append(exchange)

    def next_sequence(self) -> int:
        """Returns a sequence number that nothing in flight has (SMPP 3.4, 5.1.4)."""
        while True:
            self._sequence = self._sequence % _SEQUENCE_MAX + 1
            if self._sequence not in self._in_flight:
                return self._sequence

    def take(self, now_seconds: float) -> list[bytes]:
        """Returns requests to write now; from here on they count as sent.

        About `_OCTETS_PER_WRITE` at once, so that a peer that stops reading leaves the rest where
        it can be told as NOT_SENT.
        """
        free = self._size - len(self._in_flight)
        written: list[bytes] = []
        room = _OCTETS_PER_WRITE
        for _ in range(self._pace.allowance(free, now_seconds) if free > 0 else 0):
            exchange = self._front()
            if exchange is None or room <= 0:
                break
            room -= self._write_next(exchange, now_seconds, written)
        self._pace.spend(len(written))
        return written

    def wait_seconds(self, now_seconds: float) -> float:
        """Returns how long the pace holds back what waits."""
        return self._pace.wait_seconds(now_seconds)

    def settle(self, frame: Frame, now_seconds: float) -> bool:
        """Takes a response; False if nothing in flight asked for it (late, or invented)."""
        request = self._in_flight.get(frame.sequence)
        if request is None or frame.command not in (
            request.command | RESPONSE_BIT,
            Command.GENERIC_NACK,
        ):
            return False
        del self._in_flight[frame.sequence]
        request.exchange.settle(request.position, self._answer(frame, request, now_seconds))
        return True

    def expire(self, sent_before_seconds: float) -> int:
        """Ends what has waited too long for its answer as UNKNOWN; returns how many."""
        expired = 0
        for sequence, request in list(self._in_flight.items()):
            if request.sent_at_seconds >= sent_before_seconds:
                break
            del self._in_flight[sequence]
            request.exchange.settle(request.position, UNKNOWN)
            expired += 1
        return expired

    def withdraw_waiting(self) -> None:
        """Ends everything not yet written as NOT_SENT."""
        for queue in (self._urgent, self._waiting):
            while queue:
                queue.popleft().withdraw()

    async def drained(self) -> None:
        """Returns when nothing is in flight."""
        batches = {request.exchange.done for request in self._in_flight.values()}
        if batches:
            await asyncio.wait(batches)

    def abandon(self) -> None:
        """The link is gone: what was written is UNKNOWN, the rest NOT_SENT."""
        self.withdraw_waiting()
        for request in self._in_flight.values():
            request.exchange.settle(request.position, UNKNOWN)
        self._in_flight.clear()

    def _front(self) -> Exchange | None:
        """Withdrawn and used up batches are dropped on the way."""
        for queue in (self._urgent, self._waiting):
            while queue:
                if queue[0].next < len(queue[0].pdus):
                    return queue[0]
                queue.popleft()
        return None

    def _write_next(self, exchange: Exchange, now_seconds: float, written: list[bytes]) -> int:
        """Returns how many octets this one has."""
        index = exchange.next
        exchange.next = index + 1
        pdu, sequence = exchange.pdus[index], self.next_sequence()
        try:
            octets = codec.encode(pdu, sequence)
        except FieldError as error:
            exchange.settle(index, Answer(Outcome.REFUSED, error.status))
            return 0
        self._in_flight[sequence] = _InFlight(exchange, index, pdu.command, now_seconds)
        written.append(octets)
        return len(octets)

    def _answer(self, frame: Frame, request: _InFlight, now_seconds: float) -> Answer:
        status = frame.status
        if status == Status.ESME_ROK and frame.command != Command.GENERIC_NACK:
            self._pace.accepted()
            return Answer(Outcome.ACCEPTED, status, tlv.text(frame.body))
        if status in THROTTLING:
            self._pace.throttled(request.sent_at_seconds, now_seconds)
            return Answer(Outcome.THROTTLED, status)
        return Answer(Outcome.REFUSED, status)
