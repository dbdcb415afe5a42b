"""Events leave through the same transaction as the change they announce.

`publish` adds a row to the outbox; a `Relay` moves rows to JetStream. A crash between the two, or
in the relay, publishes late or twice, and never loses: `Nats-Msg-Id` drops the second one.
"""

from datetime import datetime
from typing import Any, Protocol

import orjson
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

__all__ = [
    "Announcing",
    "Gathered",
    "OutboxRow",
    "Relay",
    "create_table",
    "drop_table",
    "metadata",
    "publish",
]

PAYLOAD_BYTES_MAX = 4 * 1024 * 1024
"""Well below what the server takes, so that no row can block those behind it for ever."""

_INSERT = """
INSERT INTO outbox (event_id, subject, payload, headers)
SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::jsonb[])
"""


class Announcing(Protocol):
    """What takes the rows of a transaction: its session, or `Gathered` where it has none."""

    def add(self, row: Any, /) -> None: ...


class Gathered:
    """Takes the events of a transaction that is asyncpg's own, until they are written."""

    def __init__(self) -> None:
        self._rows: list[OutboxRow] = []

    def add(self, row: OutboxRow, /) -> None:
        """One more event, after those before."""
        self._rows.append(row)

    async def write(self, connection: Any) -> None:
        """Announce them if and when the connection's transaction commits."""
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        await connection.execute(
            _INSERT,
            [row.event_id for row in rows],
            [row.subject for row in rows],
            [row.payload for row in rows],
            [orjson.dumps(row.headers).decode() for row in rows],
        )


def publish(
    announcing: Announcing,
    event: Message,
    application: str,
    *,
    event_id: str | None = None,
    suffix: str = "",
    subject: str | None = None,
    event_time: datetime | None = None,
) -> str:
    """Announce the event if and when the transaction commits; its id.

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
    announcing.add(
        OutboxRow(
            event_id=message.message_id,
            subject=message.subject,
            payload=message.data,
            headers=dict(message.headers),
        )
    )
    return message.message_id
