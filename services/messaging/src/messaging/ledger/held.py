"""Batches that wait: their rows are in the ledger, `ACCEPTED`, and claimed by them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging.ledger.rows import Row
from messaging.ledger.statements import JOINED, given, on_day

_GIVE = f"""
UPDATE {{partition}} m SET batch_id = $4
FROM {given("$5::uuid[]", "message_id")}
WHERE {JOINED} AND m.state = $6 AND m.batch_id = $3
"""
_ADD = """
INSERT INTO held_batches (application, batch_id, release_time, payload) VALUES ($1, $2, $3, $4)
"""
_IS_DUE = "SELECT EXISTS (SELECT FROM held_batches WHERE release_time <= $1)"
_TAKE = """
DELETE FROM held_batches WHERE (application, batch_id) IN (
    SELECT application, batch_id FROM held_batches
    WHERE release_time <= $1 ORDER BY release_time LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING payload
"""


async def hold(
    connection: Any, rows: Sequence[Row], batch: SendBatch, release_time: datetime
) -> None:
    """Give rows, all `ACCEPTED` and of one batch, to another that waits; in one transaction."""
    first = rows[0]
    await connection.execute(
        on_day(_GIVE, first.day),
        first.application,
        first.day,
        first.batch_id,
        batch.batch_id,
        sorted(row.message_id for row in rows),
        Message.ACCEPTED,
    )
    await connection.execute(
        _ADD, batch.application, batch.batch_id, release_time, batch.SerializeToString()
    )


async def is_due(connection: Any, now: datetime) -> bool:
    """Whether any batch's time has come."""
    return bool(await connection.fetchval(_IS_DUE, now))


async def take_due(connection: Any, now: datetime, limit: int) -> list[SendBatch]:
    """Removes up to `limit` batches whose time has come, those of several workers apart.

    They are back if the transaction is.
    """
    records = await connection.fetch(_TAKE, now, limit)
    return [SendBatch.FromString(record["payload"]) for record in records]
