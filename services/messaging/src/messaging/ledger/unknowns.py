"""Messages of which nobody knows whether the provider has them, until they are settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.message_pb2 import Message

from messaging.ledger.outcomes import Recorded, record

_INSERT = """
INSERT INTO unknown_messages (application, day, message_id, settle_time, resend)
SELECT $1, $2, * FROM unnest($3::uuid[], $4::timestamptz[], $5::bytea[])
ON CONFLICT (application, day, message_id) DO UPDATE
SET settle_time = excluded.settle_time, resend = excluded.resend
"""

_DUE = """
DELETE FROM unknown_messages u
USING (
    SELECT application, day, message_id FROM unknown_messages
    WHERE settle_time <= $1 ORDER BY settle_time LIMIT $2 FOR UPDATE SKIP LOCKED
) due
WHERE u.application = due.application AND u.day = due.day AND u.message_id = due.message_id
RETURNING u.application, u.day, u.message_id, u.resend
"""


@dataclass(frozen=True, slots=True)
class Unknown:
    """One unknown message. `resend` is a batch of it alone, where policy sends it again."""

    message_id: UUID
    settle_time: datetime
    resend: bytes = b""
    detail: str = ""


async def note(
    connection: Any, application: str, day: date, unknowns: Sequence[Unknown], now: datetime
) -> None:
    """Makes `HANDING` messages `UNKNOWN` and remembers when they are due."""
    outcomes = [
        Recorded(unknown.message_id, Message.UNKNOWN, detail=unknown.detail) for unknown in unknowns
    ]
    await record(connection, application, day, outcomes, now)
    await connection.execute(
        _INSERT,
        application,
        day,
        [unknown.message_id for unknown in unknowns],
        [unknown.settle_time for unknown in unknowns],
        [unknown.resend for unknown in unknowns],
    )


async def take_due(
    connection: Any, now: datetime, limit: int
) -> list[tuple[str, date, UUID, bytes]]:
    """Removes up to `limit` messages whose time has come, those of several workers apart:
    application, day, id, and the batch to send again."""
    return [tuple(row) for row in await connection.fetch(_DUE, now, limit)]
