"""Receipts that came before their message was recorded; they wait here for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from messaging.channels.inbound import Receipt

WAIT_MIN = timedelta(seconds=0.4)
WAIT_MAX = timedelta(minutes=10)

_PARK = """
INSERT INTO parked_receipts
    (application, address, provider_message_id, reference, state, detail, event_time, park_time,
        try_time)
SELECT $1, r.*, $8, $9
FROM unnest($2::text[], $3::text[], $4::int[], $5::smallint[], $6::text[], $7::timestamptz[]) r
"""

_TAKE = """
DELETE FROM parked_receipts
WHERE id IN (
    SELECT id FROM parked_receipts
    WHERE try_time <= $1 ORDER BY try_time LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING application, address, provider_message_id, reference, state, detail, event_time,
    park_time
"""


async def park(
    connection: Any,
    application: str,
    receipts: Sequence[Receipt],
    park_time: datetime,
    now: datetime,
) -> None:
    """Keeps receipts for later. `park_time` is when they first came; the waits grow with time."""
    await connection.execute(
        _PARK,
        application,
        [receipt.address for receipt in receipts],
        [receipt.provider_message_id for receipt in receipts],
        [receipt.reference for receipt in receipts],
        [receipt.state for receipt in receipts],
        [receipt.code for receipt in receipts],
        [receipt.event_time for receipt in receipts],
        park_time,
        now + min(WAIT_MAX, WAIT_MIN + (now - park_time) / 2),
    )


async def take(connection: Any, now: datetime, limit: int) -> list[tuple[str, datetime, Receipt]]:
    """Removes up to `limit` receipts that are due, those of several workers apart.

    Each comes with its application and when it first came. They are back if the transaction is.
    """
    return [
        (record["application"], record["park_time"], _receipt(record))
        for record in await connection.fetch(_TAKE, now, limit)
    ]


def _receipt(record: Any) -> Receipt:
    return Receipt(
        provider_message_id=record["provider_message_id"],
        address=record["address"],
        state=record["state"],
        event_time=record["event_time"],
        code=record["detail"],
        reference=record["reference"],
    )
