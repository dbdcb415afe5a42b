"""From a carrier's receipt to the mesh's. Pure."""

from datetime import datetime

from heliograph.messaging.v1.message_pb2 import Message
from mesh.smpp import DeliverSm, MessageState, receipts

from messaging.channels.inbound import Receipt
from messaging.channels.smpp import addresses

_STATES: dict[MessageState, Message.State.ValueType] = {
    MessageState.SCHEDULED: Message.SENT,
    MessageState.ENROUTE: Message.SENT,
    MessageState.ACCEPTED: Message.SENT,
    MessageState.UNKNOWN: Message.SENT,
    MessageState.DELIVERED: Message.DELIVERED,
    MessageState.EXPIRED: Message.FAILED,
    MessageState.DELETED: Message.FAILED,
    MessageState.UNDELIVERABLE: Message.FAILED,
    MessageState.REJECTED: Message.FAILED,
    MessageState.SKIPPED: Message.FAILED,
}


def read(pdu: DeliverSm, now: datetime) -> Receipt | None:
    """The receipt, or None if it names no message or no state.

    Its time is ours: carriers write dates in zones that they do not tell.
    """
    receipt = receipts.parse(pdu)
    if receipt is None:
        return None
    return Receipt(
        provider_message_id=receipt.message_id,
        address=addresses.read(pdu.source_addr, pdu.source_addr_ton),
        state=_STATES[receipt.state],
        event_time=now,
        code=f"{receipt.state.name} {receipt.error}",
        reference=receipt.user_message_reference,
    )
