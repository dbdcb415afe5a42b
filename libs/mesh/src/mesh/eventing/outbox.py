"""Events leave through the same transaction as the change they announce.

`publish` adds a row to the outbox; a `Relay` moves rows to JetStream. A crash between the two, or
in the relay, publishes late or twice, and never loses: `Nats-Msg-Id` drops the second one.
"""

from datetime import datetime

from google.protobuf.message import Message
from mesh.errors import InvalidArgument
from mesh.eventing.outbox_table import (
    OutboxRow,
    create_table,
    drop_table,
    metadata,
    new_event_id,
)
from mesh.eventing.publisher import outgoing
from mesh.eventing.relay import Relay
from sqlmodel.ext.asyncio.session import AsyncSession

__all__ = ["OutboxRow", "Relay", "create_table", "drop_table", "metadata", "publish"]

PAYLOAD_BYTES_MAX = 4 * 1024 * 1024
"""Well below what the server takes, so that no row can block those behind it for ever."""


def publish(
    session: AsyncSession,
    event: Message,
    application: str,
    *,
    event_id: str | None = None,
    suffix: str = "",
    subject: str | None = None,
    event_time: datetime | None = None,
) -> str:
    """Announce the event if and when the session's transaction commits; its id.

    The current trace goes on at the consumer. Raises InvalidArgument with reason `EVENT_TOO_LARGE`.
    """
    message = outgoing(
        event,
        application,
        msg_id=event_id or new_event_id(),
        suffix=suffix,
        subject=subject,
        event_time=event_time,
    )
    if len(message.data) > PAYLOAD_BYTES_MAX:
        raise InvalidArgument(
            "EVENT_TOO_LARGE",
            f"an event of {len(message.data)} bytes is above the limit",
            size_bytes=str(len(message.data)),
        )
    session.add(
        OutboxRow(
            event_id=message.message_id,
            subject=message.subject,
            payload=message.data,
            headers=dict(message.headers),
        )
    )
    return message.message_id
