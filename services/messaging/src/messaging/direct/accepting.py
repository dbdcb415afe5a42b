"""Accepting messages in one statement: request ids, ledger rows and the outbox, all or nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging.direct.requests import Answered, Key
from messaging.ledger.rows import Row
from messaging.ledger.statements import on_day

# A message of a request that was there before is not entered. Its recipient stays in the batch on
# the bus, where the pipeline passes by what the ledger does not know.
_ACCEPT = """
WITH new_requests AS (
    INSERT INTO send_requests (application, request_id, checksum, response, batch_id, create_time)
    SELECT r.*, $1 FROM unnest($3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::text[]) r
    ON CONFLICT DO NOTHING
    RETURNING application, request_id
), outbox AS (
    INSERT INTO direct_batches (batch_id, application, payload, create_time)
    SELECT r.*, $1 FROM unnest($8::text[], $9::text[], $10::bytea[]) r
), entered AS (
    INSERT INTO {partition} (
        application, day, message_id, batch_id, run, treatment, endpoint_id, user_id, channel_type,
        purpose, address, address_digest, origination, country, parts, state, reason, detail,
        provider_message_id, context, create_time, update_time)
    SELECT r.application, $2, r.message_id, '', '', '', r.endpoint_id, r.user_id, r.channel_type,
        r.purpose, r.address, r.address_digest, '', '', 0, $11, 0, '', '', r.context, $1, $1
    FROM unnest(
        $12::text[], $13::text[], $14::uuid[], $15::text[], $16::text[], $17::smallint[],
        $18::smallint[], $19::text[], $20::uuid[], $21::jsonb[]
    ) AS r (application, request_id, message_id, endpoint_id, user_id, channel_type, purpose,
        address, address_digest, context)
    LEFT JOIN new_requests n USING (application, request_id)
    WHERE r.request_id = '' OR n.request_id IS NOT NULL
    ON CONFLICT DO NOTHING
)
SELECT application, request_id FROM new_requests
"""

Accepted = tuple[str, Row]
"""A ledger row with the id of its request, empty when the caller gave none."""


async def accept(
    connection: Any,
    answered: Sequence[Answered],
    batches: Sequence[SendBatch],
    accepted: Sequence[Accepted],
    now: datetime,
) -> set[Key]:
    """Stores requests, batches and messages; the keys of requests that are new.

    Waits for another transaction that has the same request id.
    """
    requests = sorted(answered, key=lambda one: one.key)
    rows = [row for _, row in accepted]
    records = await connection.fetch(
        on_day(_ACCEPT, now.date()),
        now,
        now.date(),
        [one.key[0] for one in requests],
        [one.key[1] for one in requests],
        [one.checksum for one in requests],
        [one.response for one in requests],
        [one.batch_ids for one in requests],
        [batch.batch_id for batch in batches],
        [batch.application for batch in batches],
        [batch.SerializeToString() for batch in batches],
        Message.ACCEPTED,
        [row.application for row in rows],
        [request_id for request_id, _ in accepted],
        [row.message_id for row in rows],
        [row.endpoint_id for row in rows],
        [row.user_id for row in rows],
        [row.channel_type for row in rows],
        [row.purpose for row in rows],
        [row.address for row in rows],
        [row.address_digest for row in rows],
        [orjson.dumps(row.context).decode() if row.context else None for row in rows],
    )
    return {(record[0], record[1]) for record in records}
