"""The statements on endpoints."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg

from audience.endpoints.batches import Claim
from audience.endpoints.records import COLUMNS, Record, state
from audience.endpoints.rendering import SELECTED
from audience.endpoints.states import State

READ: Final = f"""
SELECT {", ".join(COLUMNS[1:])} FROM endpoint
WHERE application = $1 AND endpoint = ANY($2::text[])
"""

RENDERED: Final = f"""
SELECT {SELECTED} FROM endpoint e
LEFT JOIN user_profile u ON u.application = e.application AND u.user_id = e.user_id
"""

UPSERT: Final = f"""
INSERT INTO endpoint ({", ".join(COLUMNS)})
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::smallint[], $4::text[], $5::jsonb[], $6::jsonb[], $7::jsonb[],
    $8::jsonb[], $9::text[], $10::smallint[], $11::smallint[], $12::jsonb[], $13::timestamptz[],
    $14::timestamptz[], $15::bigint[])
ON CONFLICT (application, endpoint) DO UPDATE SET
    channel_type = EXCLUDED.channel_type,
    address = EXCLUDED.address,
    attributes = EXCLUDED.attributes,
    metrics = EXCLUDED.metrics,
    demographic = EXCLUDED.demographic,
    location = EXCLUDED.location,
    user_id = EXCLUDED.user_id,
    opt_out = EXCLUDED.opt_out,
    status = EXCLUDED.status,
    refused_topics = EXCLUDED.refused_topics,
    update_time = EXCLUDED.update_time,
    revision = EXCLUDED.revision
"""

CLAIM: Final = """
UPDATE endpoint e SET status = 2, update_time = $5, revision = e.revision + 1
FROM unnest($2::smallint[], $3::text[], $4::text[]) AS c (channel_type, address, endpoint)
WHERE e.application = $1 AND e.status = 1 AND e.channel_type = c.channel_type
    AND hashtextextended(e.address::text, 0) = hashtextextended(c.address, 0)
    AND e.address = c.address AND e.endpoint <> c.endpoint AND e.endpoint <> ALL($6::text[])
RETURNING c.endpoint, e.endpoint, e.channel_type
"""

DELETE: Final = """
DELETE FROM endpoint WHERE application = $1 AND endpoint = ANY($2::text[]) RETURNING endpoint
"""


async def read(
    connection: "asyncpg.Connection[Any]", application: str, endpoints: Iterable[str]
) -> dict[str, State]:
    """Those of the endpoints that exist, by id."""
    rows = await connection.fetch(READ, application, list(endpoints))
    return {row[0]: state(row) for row in rows}


async def claim(
    connection: "asyncpg.Connection[Any]",
    application: str,
    active: Sequence[State],
    written: Iterable[str],
) -> list[Claim]:
    """Take the addresses of `active` from other endpoints; who lost one to whom.

    All endpoints `written` with the batch are left out: their rows are about to be stored.
    """
    if not active:
        return []
    rows = await connection.fetch(
        CLAIM,
        application,
        [one.channel_type for one in active],
        [one.address for one in active],
        [one.endpoint for one in active],
        active[0].update_time,
        list(written),
    )
    return [Claim(*row) for row in rows]


async def upsert(connection: "asyncpg.Connection[Any]", rows: Sequence[Record]) -> None:
    """Write endpoints, new or not, in one statement."""
    if rows:
        await connection.execute(UPSERT, *map(list, zip(*rows, strict=True)))


async def copy(connection: "asyncpg.Connection[Any]", rows: Sequence[Record]) -> None:
    """Write endpoints that are known to be new."""
    if rows:
        await connection.copy_records_to_table("endpoint", records=rows, columns=COLUMNS)


async def delete(
    connection: "asyncpg.Connection[Any]", application: str, endpoints: Sequence[str]
) -> list[str]:
    """Delete endpoints; those that were there."""
    rows = await connection.fetch(DELETE, application, list(endpoints))
    return [row[0] for row in rows]
