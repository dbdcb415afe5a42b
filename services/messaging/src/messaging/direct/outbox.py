"""Batches for the direct lane: written with their ledger rows, published right after.

What a crash leaves behind is published by a sweep; the batch's id keeps that harmless.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from heliograph import subjects
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.eventing import publisher
from nats.js import JetStreamContext

from messaging.ledger.persistence import Pool

LEFT_BEHIND_AFTER = timedelta(seconds=5)
SWEEP_MAX = 100

_ADD = """
INSERT INTO direct_batches (batch_id, application, payload, create_time)
SELECT r.*, $4 FROM unnest($1::text[], $2::text[], $3::bytea[]) r ON CONFLICT DO NOTHING
"""
_DELETE = "DELETE FROM direct_batches WHERE batch_id = ANY($1::text[])"
_LEFT = """
SELECT payload FROM direct_batches
WHERE create_time < $1 ORDER BY create_time LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_STILL = "SELECT payload FROM direct_batches WHERE batch_id = ANY($1::text[])"


async def add(connection: Any, batches: Sequence[SendBatch], now: datetime) -> None:
    """Writes batches, in the transaction of their ledger rows."""
    if not batches:
        return
    await connection.execute(
        _ADD,
        [batch.batch_id for batch in batches],
        [batch.application for batch in batches],
        [batch.SerializeToString() for batch in batches],
        now,
    )


async def publish(pool: Pool, js: JetStreamContext, batches: Sequence[SendBatch]) -> None:
    """Publishes batches whose transaction has committed, then forgets them.

    Raises Unavailable when the bus does not confirm; a sweep will try again.
    """
    if not batches:
        return
    await publisher.publish_many(js, [_outgoing(batch) for batch in batches])
    await pool.execute(_DELETE, [batch.batch_id for batch in batches])


async def publish_if_left(pool: Pool, js: JetStreamContext, batch_ids: Sequence[str]) -> None:
    """Publishes those of the batches that have not been, for whoever asks again after a crash."""
    records = await pool.fetch(_STILL, batch_ids)
    await publish(pool, js, [SendBatch.FromString(record["payload"]) for record in records])


async def sweep(pool: Pool, js: JetStreamContext, now: datetime) -> int:
    """Publishes what was left behind; how many batches."""
    async with pool.acquire() as connection, connection.transaction():
        records = await connection.fetch(_LEFT, now - LEFT_BEHIND_AFTER, SWEEP_MAX)
        batches = [SendBatch.FromString(record["payload"]) for record in records]
        await publisher.publish_many(js, [_outgoing(batch) for batch in batches])
        await connection.execute(_DELETE, [batch.batch_id for batch in batches])
    return len(batches)


def _outgoing(batch: SendBatch) -> publisher.Outgoing:
    return publisher.outgoing(
        batch, batch.application, msg_id=batch.batch_id, suffix=subjects.DIRECT
    )
