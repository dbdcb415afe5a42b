"""Message events from ledger rows: a fact has the same id however often it is told. Pure."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
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

_ENDINGS: Final = {kind: name.lower() for name, kind in Kind.items()}
_WITH_REASON: Final = (MessageEvent.FAILED, MessageEvent.SKIPPED)
_NO_REASON: Final = Reason.REASON_UNSPECIFIED


def event(row: Row, kind: Kind.ValueType, event_time: datetime) -> MessageEvent:
    """The event that this happened to this message at this time."""
    application, message_id = row.application, str(row.message_id)
    failed = kind in _WITH_REASON
    return MessageEvent(
        event_id=f"{message_id}-{_ENDINGS[kind]}",
        kind=kind,
        event_time=_timestamp(event_time),
        message=f"applications/{application}/messages/{message_id}",
        endpoint=f"applications/{application}/endpoints/{row.endpoint_id}"
        if row.endpoint_id
        else "",
        user_id=row.user_id,
        run=run_name(application, row.run),
        treatment=row.treatment,
        channel_type=row.channel_type,  # type: ignore[arg-type]  # stored as its number
        purpose=row.purpose,  # type: ignore[arg-type]
        reason=row.reason if failed else _NO_REASON,
        detail=row.detail if failed else "",
        parts=row.parts,
        country=row.country,
        context=row.context,
        address=row.address,
    )


@lru_cache(maxsize=256)
def _timestamp(time: datetime) -> Timestamp:
    """What happened to a set happened at one time. Nobody changes it: a message copies it."""
    made = Timestamp()
    made.FromDatetime(time)
    return made


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
