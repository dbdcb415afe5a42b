"""Message events from ledger rows: a fact has the same id however often it is told. Pure."""

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.ledger.rows import Row, run_name

Kind = MessageEvent.Kind

KINDS: dict[Message.State.ValueType, Kind.ValueType] = {
    Message.SENT: MessageEvent.SENT,
    Message.DELIVERED: MessageEvent.DELIVERED,
    Message.FAILED: MessageEvent.FAILED,
    Message.SKIPPED: MessageEvent.SKIPPED,
}
"""What is announced of a message in a state; of the other states nothing is."""


def event(row: Row, kind: Kind.ValueType, event_time: datetime) -> MessageEvent:
    """The event that this happened to this message at this time."""
    application = row.application
    time = Timestamp()
    time.FromDatetime(event_time)
    failed = kind in (MessageEvent.FAILED, MessageEvent.SKIPPED)
    return MessageEvent(
        event_id=f"{row.message_id}-{Kind.Name(kind).lower()}",
        kind=kind,
        event_time=time,
        message=f"applications/{application}/messages/{row.message_id}",
        endpoint=f"applications/{application}/endpoints/{row.endpoint_id}"
        if row.endpoint_id
        else "",
        user_id=row.user_id,
        run=run_name(application, row.run),
        treatment=row.treatment,
        channel_type=row.channel_type,  # type: ignore[arg-type]  # stored as its number
        purpose=Purpose.ValueType(row.purpose),
        reason=row.reason if failed else Reason.REASON_UNSPECIFIED,
        detail=row.detail if failed else "",
        parts=row.parts,
        country=row.country,
        context=row.context,
        address=row.address,
    )


def history(row: Row) -> list[MessageEvent]:
    """Everything that can be told of a row as it stands, for whoever may have missed it."""
    told: list[MessageEvent] = []
    if row.sent_time is not None:
        told.append(event(row, MessageEvent.SENT, row.sent_time))
    if row.state in KINDS and row.state != Message.SENT:
        told.append(event(row, KINDS[row.state], row.update_time))
    return told


def changed(application: str, events: Iterable[MessageEvent]) -> MessagesChanged:
    """One bus message of many events."""
    return MessagesChanged(application=application, events=events)
