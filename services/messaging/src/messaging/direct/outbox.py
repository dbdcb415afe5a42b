"""Batches for the direct lane: written with their ledger rows, published right after.

What has been published is removed by a sweep, many rows at once, and what a crash has left behind
is published by it; the batch's id keeps a second time harmless.
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


class Outbox:
    """Publishes batches and remembers what is still to be removed."""

    def __init__(self, pool: Pool, js: JetStreamContext) -> None:
        self._pool = pool
        self._js = js
        self._published: list[str] = []

    async def publish(self, batches: Sequence[SendBatch]) -> None:
        """Publishes batches whose transaction has committed.

        Raises Unavailable when the bus does not confirm; a sweep will try again.
        """
        if batches:
            await publisher.publish_many(self._js, [_outgoing(batch) for batch in batches])
            self._published += [batch.batch_id for batch in batches]

    async def publish_left(self, batch_ids: Sequence[str]) -> None:
        """Publishes those of the batches that may not have been, when somebody asks again."""
        records = await self._pool.fetch(_STILL, batch_ids)
        await self.publish([SendBatch.FromString(record["payload"]) for record in records])

    async def sweep(self, now: datetime) -> int:
        """Removes what was published here, publishes what was left behind; how many of those."""
        published, self._published = self._published, []
        if published:
            await self._pool.execute(_DELETE, published)
        async with self._pool.acquire() as connection, connection.transaction():
            records = await connection.fetch(_LEFT, now - LEFT_BEHIND_AFTER, SWEEP_MAX)
            batches = [SendBatch.FromString(record["payload"]) for record in records]
            await publisher.publish_many(self._js, [_outgoing(batch) for batch in batches])
            await connection.execute(_DELETE, [batch.batch_id for batch in batches])
        return len(batches)


def _outgoing(batch: SendBatch) -> publisher.Outgoing:
    return publisher.outgoing(
        batch, batch.application, msg_id=batch.batch_id, suffix=subjects.DIRECT
    )
