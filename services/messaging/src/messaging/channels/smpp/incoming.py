"""What the carrier sends: receipts and texts, answered only when the listener has stored them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from mesh.smpp import DeliverSm, FieldError, Reply, Status, receipts
from mesh.smpp.inbox import Replies
from mesh.telemetry import logging

from messaging.channels.channel import Listener
from messaging.channels.inbound import InboundPart, InboundText, Receipt
from messaging.channels.smpp import reports, texts

_log = logging.get(__name__)

STORED = Reply()
AGAIN = Reply(Status.ESME_RX_T_APPN)
REFUSED = Reply(Status.ESME_RX_P_APPN)

Told = TypeVar("Told")


@dataclass(slots=True)
class _Kind(Generic[Told]):
    """What a batch has of one kind, with its place in the batch."""

    store: Callable[[Sequence[Told]], Awaitable[None]]
    told: list[Told] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, place: int, one: Told) -> None:
        """One more."""
        self.told.append(one)
        self.places.append(place)

    async def answer(self, replies: list[Reply]) -> None:
        """Store them all, and say so at their places."""
        if self.told:
            reply = await _stored(self.store(self.told))
            for place in self.places:
                replies[place] = reply


class Incoming:
    """Sorts a batch, stores it in three calls at most, and says what is answered."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def take(self, pdus: Sequence[DeliverSm]) -> Replies:
        """Stores a batch. What could not be stored is to come again."""
        now = datetime.now(UTC)
        replies = [STORED] * len(pdus)
        told = _Kind[Receipt](self._listener.receipts)
        whole = _Kind[InboundText](self._listener.inbound)
        parts = _Kind[InboundPart](self._listener.parts)
        for place, pdu in enumerate(pdus):
            if receipts.is_receipt(pdu):
                receipt = _receipt(pdu, now)
                if receipt is not None:
                    told.add(place, receipt)
                continue
            try:
                text = texts.read(pdu, now)
            except FieldError as error:
                _log.warning("smpp.text_unreadable", error=str(error))
                replies[place] = REFUSED
                continue
            if isinstance(text, InboundPart):
                parts.add(place, text)
            else:
                whole.add(place, text)
        await asyncio.gather(told.answer(replies), whole.answer(replies), parts.answer(replies))
        return replies


def _receipt(pdu: DeliverSm, now: datetime) -> Receipt | None:
    """None for one that cannot be read; it is taken, or it would come for ever."""
    receipt = reports.read(pdu, now)
    if receipt is None:
        _log.warning("smpp.receipt_unreadable", octets=len(pdu.user_data))
    return receipt


async def _stored(storing: Awaitable[None]) -> Reply:
    try:
        await storing
    except Exception as error:
        _log.warning("smpp.not_stored", error=repr(error))
        return AGAIN
    return STORED
