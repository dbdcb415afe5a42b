"""The statements on endpoints."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

import asyncpg

from audience.endpoints.batches import Claim
from audience.endpoints.records import COLUMNS, Record, joined, state
from audience.endpoints.states import State

READ: Final = f"""
SELECT {", ".join(COLUMNS[1:])} FROM endpoint
WHERE application = $1 AND endpoint = ANY(string_to_array($2, chr(31)))
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

# Address by address (`OFFSET 0`), each by the index. A join's plan depends on statistics, which a
# table has not got while it is being filled; and so does one condition on all of them where the
# statistics have not met the application: it then reads all of its rows.
HOLDERS: Final = """
SELECT held.endpoint, held.channel_type, held.address
FROM unnest(string_to_array($2, chr(31))::smallint[], string_to_array($3, chr(31)))
    AS taken (channel_type, address)
CROSS JOIN LATERAL (
    SELECT endpoint, channel_type, address FROM endpoint
    WHERE application = $1 AND status = 1 AND channel_type = taken.channel_type
        AND hashtextextended(address::text, 0) = hashtextextended(taken.address, 0)
    OFFSET 0
) AS held
"""

DEACTIVATE: Final = """
UPDATE endpoint SET status = 2, update_time = $4, revision = revision + 1
WHERE application = $1 AND endpoint = ANY($2::text[]) AND address = ANY($3::text[]) AND status = 1
RETURNING endpoint
"""

LOCK_ROWS: Final = """
SELECT FROM endpoint WHERE application = $1 AND endpoint = ANY($2::text[])
ORDER BY endpoint FOR NO KEY UPDATE
"""

EVICT: Final = """
UPDATE endpoint SET status = 2, user_id = '', update_time = $3, revision = revision + 1
WHERE application = $1 AND endpoint = ANY($2::text[])
RETURNING endpoint
"""

DELETE: Final = """
DELETE FROM endpoint WHERE application = $1 AND endpoint = ANY($2::text[]) RETURNING endpoint
"""


async def read(
    connection: "asyncpg.Connection[Any]", application: str, endpoints: Iterable[str]
) -> dict[str, State]:
    """Those of the endpoints that exist, by id."""
    rows = await connection.fetch(READ, application, joined(endpoints))
    return {row[0]: state(row) for row in rows}


class Taking:
    """Endpoints that take their addresses, and those addresses as parameters of a statement."""

    def __init__(self, active: Sequence[State]) -> None:
        self.takers = {(one.channel_type, one.address): one.endpoint for one in active}
        self.channel_types = joined(str(channel_type) for channel_type, _ in self.takers)
        self.addresses = joined(address for _, address in self.takers)
        self.time = active[0].update_time if active else None


async def rivals(
    connection: "asyncpg.Connection[Any]", application: str, taking: Taking, written: Container[str]
) -> list[Claim]:
    """Who loses the addresses that are taken, and to whom.

    All endpoints `written` with the batch are left out: their rows are about to be stored.
    """
    takers = taking.takers
    if not takers:
        return []
    holders = await connection.fetch(HOLDERS, application, taking.channel_types, taking.addresses)
    return [
        Claim(takers[key], endpoint, channel_type)
        for endpoint, channel_type, address in holders
        if (key := (channel_type, address)) in takers and endpoint not in written
    ]


async def lock_rows(
    connection: "asyncpg.Connection[Any]", application: str, endpoints: Iterable[str]
) -> None:
    """Lock rows in the order that all writers keep, before any is changed."""
    await connection.execute(LOCK_ROWS, application, sorted(set(endpoints)))


async def deactivate(
    connection: "asyncpg.Connection[Any]", application: str, claims: Sequence[Claim], taking: Taking
) -> list[Claim]:
    """Make INACTIVE who lost an address; the claims of those that still held it."""
    if not claims:
        return []
    formers, addresses = [one.former for one in claims], [address for _, address in taking.takers]
    rows = await connection.fetch(DEACTIVATE, application, formers, addresses, taking.time)
    deactivated = {row[0] for row in rows}
    return [one for one in claims if one.former in deactivated]


async def evict(
    connection: "asyncpg.Connection[Any]", application: str, endpoints: Sequence[str], now: datetime
) -> set[str]:
    """Take endpoints from their users and make them INACTIVE; those that were there."""
    if not endpoints:
        return set()
    return {row[0] for row in await connection.fetch(EVICT, application, list(endpoints), now)}


async def upsert(connection: "asyncpg.Connection[Any]", rows: Sequence[Record]) -> None:
    """Write endpoints, new or not, in one statement, in the order of `lock_rows`."""
    if rows:
        rows = sorted(rows, key=lambda row: str(row[1]))
        await connection.execute(UPSERT, *map(list, zip(*rows, strict=True)))


async def copy(connection: "asyncpg.Connection[Any]", text: bytes) -> None:
    """Write endpoints that are known to be new, from `records.copy_text`."""
    if text:
        await connection.copy_to_table("endpoint", source=BytesIO(text), columns=COLUMNS)


async def delete(
    connection: "asyncpg.Connection[Any]", application: str, endpoints: Sequence[str]
) -> list[str]:
    """Delete endpoints; those that were there."""
    rows = await connection.fetch(DELETE, application, list(endpoints))
    return [row[0] for row in rows]
