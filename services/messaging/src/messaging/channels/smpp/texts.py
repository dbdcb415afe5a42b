"""Texts of people: read, put together from their parts, answered when they are stored."""

import asyncio
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mesh.smpp import DeliverSm, Reply, Status, long_messages
from mesh.sms import Concatenation, Reassembler, data_coding

from messaging.channels.inbound import InboundText
from messaging.channels.smpp import addresses

HOLD_SECONDS = 5.0
PARTS_AGE_SECONDS_MAX = 600.0

STORED = Reply()
AGAIN = Reply(Status.ESME_RX_T_APPN)

Promise = asyncio.Future[Reply]


@dataclass(slots=True)
class _Part:
    octets: bytes
    promise: Promise


@dataclass(frozen=True, slots=True)
class Whole:
    """A text with what must be answered once it is stored.

    Parts that come again together make the same text more than once; `identity` tells.
    """

    text: InboundText
    promises: Sequence[Promise]
    key: Hashable
    concatenation: Concatenation | None = None

    @property
    def identity(self) -> Hashable:
        """Equal for the same text."""
        return self.key, self.concatenation and self.concatenation._replace(sequence=0)


class Texts:
    """Holds the parts of long texts until they are whole.

    A part is answered with its whole text. If that takes too long, the carrier is asked to send
    the part again, and the second time it is told that we have it: some carriers send nothing else
    to a number before a part is taken. `hold_seconds` is how long a part may stay unanswered while
    the others are on their way.
    """

    def __init__(self, hold_seconds: float = HOLD_SECONDS) -> None:
        self._hold_seconds = hold_seconds
        self._loop = asyncio.get_running_loop()
        self._parts: Reassembler[_Part] = Reassembler(age_seconds_max=PARTS_AGE_SECONDS_MAX)
        self._promises: set[Promise] = set()

    def take(self, pdu: DeliverSm, now: datetime) -> tuple[Promise, Whole | None]:
        """The promise of an answer, and the text that is whole with this part.

        Raises FieldError for a broken header.
        """
        concatenation, octets = long_messages.read(pdu)
        promise = self._promise()
        if concatenation is None:
            return promise, Whole(_text(pdu, octets, 1, now), [promise], promise)
        key = (pdu.source_addr, pdu.destination_addr, pdu.data_coding)
        repeated = self._parts.holds(key, concatenation)
        part = _Part(octets, promise)
        parts = self._parts.add(key, concatenation, part, self._loop.time())
        if parts is not None:
            whole = b"".join(part.octets for part in parts)
            text = _text(pdu, whole, len(parts), now)
            return promise, Whole(text, [part.promise for part in parts], key, concatenation)
        if repeated:
            promise.set_result(STORED)
        else:
            self._loop.call_later(self._hold_seconds, _resolve, promise, AGAIN)
        return promise, None

    def settle(self, wholes: Iterable[Whole], reply: Reply) -> None:
        """Answers every part of texts; those that were stored are forgotten."""
        for whole in wholes:
            if reply is STORED and whole.concatenation is not None:
                self._parts.forget(whole.key, whole.concatenation)
            for promise in whole.promises:
                _resolve(promise, reply)

    def close(self) -> None:
        """Asks for everything again that is not whole."""
        for promise in list(self._promises):
            _resolve(promise, AGAIN)

    def _promise(self) -> Promise:
        promise = self._loop.create_future()
        self._promises.add(promise)
        promise.add_done_callback(self._promises.discard)
        return promise


def _resolve(promise: Promise, reply: Reply) -> None:
    if not promise.done():
        promise.set_result(reply)


def _text(pdu: DeliverSm, octets: bytes, parts: int, now: datetime) -> InboundText:
    return InboundText(
        source_address=addresses.read(pdu.source_addr, pdu.source_addr_ton),
        destination_address=addresses.read(pdu.destination_addr, pdu.dest_addr_ton),
        text=data_coding.decode(octets, pdu.data_coding),
        receive_time=now,
        parts=parts,
    )
