"""Recording what became of messages, in sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.ledger.statements import JOINED, given, on_day

_RECORD = f"""
UPDATE {{partition}} m
SET state = CASE WHEN m.state IN ($5, $6) THEN r.state ELSE m.state END,
    reason = CASE WHEN m.state IN ($5, $6) THEN r.reason ELSE m.reason END,
    detail = CASE WHEN m.state IN ($5, $6) THEN r.detail ELSE m.detail END,
    provider_message_id = CASE WHEN r.provider_message_id <> ''
        THEN r.provider_message_id ELSE m.provider_message_id END,
    sent_time = CASE WHEN r.state = $4
        THEN coalesce(m.sent_time, r.leave_time, $3) ELSE m.sent_time END,
    update_time = $3
FROM {
    given(
        "$7::uuid[], $8::smallint[], $9::smallint[], $10::text[], $11::text[], $12::timestamptz[]",
        "message_id, state, reason, detail, provider_message_id, leave_time",
    )
}
WHERE {JOINED}
RETURNING m.message_id, m.sent_time
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a message that was `HANDING` or `UNKNOWN` becomes.

    It was sent when it left, not when its provider answered: by then, whoever got it may have
    written back.
    """

    message_id: UUID
    state: Message.State.ValueType
    reason: Reason.ValueType = Reason.REASON_UNSPECIFIED
    detail: str = ""
    provider_message_id: str = ""
    leave_time: datetime | None = None


async def record(
    connection: Any, application: str, day: date, outcomes: Sequence[Recorded], now: datetime
) -> dict[UUID, datetime | None]:
    """Writes the outcomes; when each message was sent, by id.

    A message that a receipt has settled meanwhile keeps its state and gets its provider's id. The
    time a message was sent is the first one recorded, so that its event is always the same.
    """
    ordered = sorted(outcomes, key=lambda outcome: outcome.message_id.int)
    records = await connection.fetch(
        on_day(_RECORD, day),
        application,
        day,
        now,
        Message.SENT,
        Message.HANDING,
        Message.UNKNOWN,
        [outcome.message_id for outcome in ordered],
        [outcome.state for outcome in ordered],
        [outcome.reason for outcome in ordered],
        [outcome.detail for outcome in ordered],
        [outcome.provider_message_id for outcome in ordered],
        [outcome.leave_time for outcome in ordered],
    )
    return {row[0]: row[1] for row in records}
