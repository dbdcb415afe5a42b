"""What the carrier sends: receipts and texts, answered only when the listener has stored them."""

import asyncio
from collections.abc import Awaitable, Collection, Hashable, Sequence
from datetime import UTC, datetime

from mesh.smpp import DeliverSm, FieldError, Reply, Status, receipts
from mesh.smpp.inbox import Replies
from mesh.telemetry import logging

from messaging.channels.channel import Listener
from messaging.channels.inbound import Receipt
from messaging.channels.smpp import reports
from messaging.channels.smpp.texts import AGAIN, HOLD_SECONDS, STORED, Promise, Texts, Whole

_log = logging.get(__name__)

REFUSED = Reply(Status.ESME_RX_P_APPN)


class Incoming:
    """Sorts a batch, stores it in two calls at most, and says what is answered."""

    def __init__(self, listener: Listener, hold_seconds: float = HOLD_SECONDS) -> None:
        self._listener = listener
        self._texts = Texts(hold_seconds)

    async def take(self, pdus: Sequence[DeliverSm]) -> Replies:
        """Stores a batch. What could not be stored is to come again."""
        now = datetime.now(UTC)
        replies: list[Reply | Promise | None] = [None] * len(pdus)
        told: list[tuple[int, Receipt]] = []
        wholes: dict[Hashable, Whole] = {}
        for index, pdu in enumerate(pdus):
            if receipts.is_receipt(pdu):
                replies[index] = self._read_receipt(index, pdu, now, told)
            else:
                replies[index] = self._read_text(pdu, now, wholes)
        stored, _ = await asyncio.gather(
            self._store_receipts(told), self._store_texts(wholes.values())
        )
        for index, _receipt in told:
            replies[index] = stored
        return replies

    def close(self) -> None:
        """Asks for the parts again that still wait for others."""
        self._texts.close()

    def _read_receipt(
        self, index: int, pdu: DeliverSm, now: datetime, told: list[tuple[int, Receipt]]
    ) -> Reply:
        """A receipt that cannot be read is taken, or it would come for ever."""
        receipt = reports.read(pdu, now)
        if receipt is None:
            _log.warning("smpp.receipt_unreadable", octets=len(pdu.user_data))
        else:
            told.append((index, receipt))
        return STORED

    def _read_text(
        self, pdu: DeliverSm, now: datetime, wholes: dict[Hashable, Whole]
    ) -> Reply | Promise:
        try:
            promise, whole = self._texts.take(pdu, now)
        except FieldError as error:
            _log.warning("smpp.text_unreadable", error=str(error))
            return REFUSED
        if whole is not None:
            wholes[whole.identity] = whole
        return promise

    async def _store_receipts(self, told: Sequence[tuple[int, Receipt]]) -> Reply:
        if not told:
            return STORED
        return await _stored(self._listener.receipts([receipt for _, receipt in told]))

    async def _store_texts(self, wholes: Collection[Whole]) -> None:
        if wholes:
            reply = await _stored(self._listener.inbound([whole.text for whole in wholes]))
            self._texts.settle(wholes, reply)


async def _stored(storing: Awaitable[None]) -> Reply:
    try:
        await storing
    except Exception as error:
        _log.warning("smpp.not_stored", error=repr(error))
        return AGAIN
    return STORED
