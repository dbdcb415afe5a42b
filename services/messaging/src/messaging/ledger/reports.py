"""What providers report, against the ledger: finding the messages, and moving them on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging import addresses
from messaging.channels.inbound import Receipt
from messaging.ledger.rows import COLUMNS, Row, of_record
from messaging.ledger.statements import JOINED, given, on_day

DAYS_BACK_MAX = 14
"""Carriers try for three days; a run may have begun before."""

# The address finds few messages, whatever the statistics say, so it is looked up first. A text of
# several parts that is under way is not found by reference: the receipt is its last part's, and
# another part may be refused.
_MATCH = f"""
SELECT r.index - 1 AS index, {", ".join(f"m.{name}" for name in COLUMNS)}
FROM unnest($3::uuid[], $4::text[], $5::int[]) WITH ORDINALITY
    AS r (address_digest, provider_message_id, reference, index)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE application = $1 AND address_digest = r.address_digest AND address <> '' AND day >= $2
    OFFSET 0
) AS m
WHERE (r.provider_message_id <> '' AND m.provider_message_id = r.provider_message_id)
    OR (m.provider_message_id = '' AND (m.state = $7 OR m.state = $6 AND m.parts <= 1)
        AND get_byte(uuid_send(m.message_id), 14) * 256
            + get_byte(uuid_send(m.message_id), 15) = r.reference)
"""

_MOVE = f"""
UPDATE {{partition}} m
SET state = r.state, reason = r.reason, detail = r.detail, update_time = r.event_time,
    sent_time = coalesce(m.sent_time, r.event_time),
    provider_message_id = CASE WHEN m.provider_message_id = ''
        THEN r.provider_message_id ELSE m.provider_message_id END
FROM {
    given(
        "$3::uuid[], $4::smallint[], $5::smallint[], $6::smallint[], $7::text[], $8::text[], "
        "$9::timestamptz[]",
        "message_id, expected, state, reason, detail, provider_message_id, event_time",
    )
}
WHERE {JOINED} AND m.state = r.expected
RETURNING m.message_id, m.sent_time
"""


@dataclass(frozen=True, slots=True)
class Move:
    """A message that a receipt moves on."""

    row: Row
    receipt: Receipt
    state: Message.State.ValueType
    reason: Reason.ValueType


async def match(
    connection: Any, application: str, receipts: Sequence[Receipt], now: datetime
) -> list[Row | None]:
    """The message of each receipt: by the provider's id, else by address and reference."""
    since = (now - timedelta(days=DAYS_BACK_MAX)).date()
    records = await connection.fetch(
        _MATCH,
        application,
        since,
        [addresses.digest(receipt.address) for receipt in receipts],
        [receipt.provider_message_id for receipt in receipts],
        [receipt.reference for receipt in receipts],
        Message.HANDING,
        Message.UNKNOWN,
    )
    found: list[Row | None] = [None] * len(receipts)
    for record in records:
        row, index = of_record(record), record["index"]
        other = found[index]
        if other is None or _exact(row, receipts[index]) > _exact(other, receipts[index]):
            found[index] = row
    return found


async def move(
    connection: Any, application: str, moves: Sequence[Move]
) -> dict[UUID, datetime | None]:
    """Moves messages that are still as they were read; when each was sent, by id."""
    by_day: dict[date, list[Move]] = defaultdict(list)
    for one in sorted(moves, key=lambda one: one.row.message_id.int):
        by_day[one.row.day].append(one)
    moved: dict[UUID, datetime | None] = {}
    for day, group in by_day.items():
        moved |= await _move_day(connection, application, day, group)
    return moved


async def _move_day(
    connection: Any, application: str, day: date, moves: Sequence[Move]
) -> dict[UUID, datetime | None]:
    records = await connection.fetch(
        on_day(_MOVE, day),
        application,
        day,
        [one.row.message_id for one in moves],
        [one.row.state for one in moves],
        [one.state for one in moves],
        [one.reason for one in moves],
        [one.receipt.code if one.reason else "" for one in moves],
        [one.receipt.provider_message_id for one in moves],
        [one.receipt.event_time for one in moves],
    )
    return {record[0]: record[1] for record in records}


def _exact(row: Row, receipt: Receipt) -> tuple[bool, UUID]:
    """A message found by the provider's id comes before one found by reference; then the newest."""
    return row.provider_message_id == receipt.provider_message_id, row.message_id
