"""Entering messages into the ledger: each (run, endpoint) once, each address of a run once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from heliograph.messaging.v1.message_pb2 import Message

from messaging.ledger.rows import COLUMNS, Row, of_record
from messaging.ledger.statements import JOINED, given, on_day

Connection = Any

_CLAIM = """
INSERT INTO {partition} (
    application, day, message_id, batch_id, run, treatment, endpoint_id, user_id, channel_type,
    purpose, address, address_digest, run_address_digest, origination, country, parts, state,
    reason, detail, provider_message_id, context, create_time, update_time)
SELECT $1, $2, r.message_id, $3, $4, r.treatment, r.endpoint_id, r.user_id, r.channel_type,
    $5, r.address, r.address_digest, r.run_address_digest, r.origination, r.country, r.parts,
    r.state, r.reason, r.detail, '', r.context, $6, $6
FROM unnest(
    $7::uuid[], $8::text[], $9::text[], $10::text[], $11::smallint[], $12::text[], $13::uuid[],
    $14::uuid[], $15::text[], $16::text[], $17::smallint[], $18::smallint[], $19::smallint[],
    $20::text[], $21::jsonb[]
) AS r (message_id, treatment, endpoint_id, user_id, channel_type, address, address_digest,
    run_address_digest, origination, country, parts, state, reason, detail, context)
WHERE NOT EXISTS (SELECT FROM tombstones WHERE application = $1::varchar)
ON CONFLICT DO NOTHING
RETURNING message_id
"""

_TAKE = f"""
UPDATE {{partition}} m
SET state = r.state, reason = r.reason, detail = r.detail, parts = r.parts, batch_id = $3,
    origination = r.origination, update_time = $4
FROM {
    given(
        "$5::uuid[], $6::smallint[], $7::smallint[], $8::text[], $9::smallint[], $10::text[]",
        "message_id, state, reason, detail, parts, origination",
    )
}
WHERE {JOINED} AND m.state = $11 AND m.batch_id IN ('', $3)
    AND NOT EXISTS (SELECT FROM tombstones WHERE application = $1::text)
RETURNING m.message_id
"""

_RELEASE = f"""
UPDATE {{partition}} m SET state = $5, update_time = $4
FROM {given("$6::uuid[]", "message_id")}
WHERE {JOINED} AND m.state = $7 AND m.batch_id = $3
"""

_FIND = f"""
SELECT {", ".join(f"m.{name}" for name in COLUMNS)}
FROM {given("$3::uuid[]", "message_id")} JOIN {{partition}} m ON {JOINED}
"""


async def claim(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """Enters the rows, all of one batch; the ids of those that were not there.

    Left out is a row that is there already, and one whose address another row of the run claims.
    Of an application that was deleted, nothing is entered.
    """
    first = rows[0]
    ordered = sorted(rows, key=lambda row: row.message_id.int)
    records = await connection.fetch(
        on_day(_CLAIM, first.day),
        first.application,
        first.day,
        first.batch_id,
        first.run,
        first.purpose,
        first.create_time,
        [row.message_id for row in ordered],
        [row.treatment for row in ordered],
        [row.endpoint_id for row in ordered],
        [row.user_id for row in ordered],
        [row.channel_type for row in ordered],
        [row.address for row in ordered],
        [row.address_digest for row in ordered],
        [row.run_address_digest for row in ordered],
        [row.origination for row in ordered],
        [row.country for row in ordered],
        [row.parts for row in ordered],
        [row.state for row in ordered],
        [row.reason for row in ordered],
        [row.detail for row in ordered],
        [_json(row.context) for row in ordered],
    )
    return {record[0] for record in records}


async def take(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """Moves `ACCEPTED` rows, all of one batch, to the state they have here; the ids of those moved.

    A row that another batch has claimed, or that is no longer `ACCEPTED`, stays as it is: of two
    workers that try, one gets it. Of an application that was deleted, none is moved.
    """
    first = rows[0]
    ordered = sorted(rows, key=lambda row: row.message_id.int)
    records = await connection.fetch(
        on_day(_TAKE, first.day),
        first.application,
        first.day,
        first.batch_id,
        first.update_time,
        [row.message_id for row in ordered],
        [row.state for row in ordered],
        [row.reason for row in ordered],
        [row.detail for row in ordered],
        [row.parts for row in ordered],
        [row.origination for row in ordered],
        Message.ACCEPTED,
    )
    return {record[0] for record in records}


async def release(connection: Connection, rows: Sequence[Row]) -> None:
    """Moves rows, all of one batch, from `HANDING` back to `ACCEPTED`: they never left."""
    first = rows[0]
    await connection.execute(
        on_day(_RELEASE, first.day),
        first.application,
        first.day,
        first.batch_id,
        first.update_time,
        Message.ACCEPTED,
        sorted(row.message_id for row in rows),
        Message.HANDING,
    )


async def find(connection: Connection, rows: Sequence[Row]) -> dict[UUID, Row]:
    """What the ledger has of these messages, all of one day, by id."""
    first = rows[0]
    records: list[asyncpg.Record] = await connection.fetch(
        on_day(_FIND, first.day),
        first.application,
        first.day,
        [row.message_id for row in rows],
    )
    return {record["message_id"]: of_record(record) for record in records}


def _json(context: dict[str, str] | None) -> str | None:
    return orjson.dumps(context).decode() if context else None
