"""Reads that become messages, each one query."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import asyncpg

from audience.endpoints import listing
from audience.endpoints.rendering import SELECTED

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Row: TypeAlias = "asyncpg.Record"

# Endpoint by endpoint (`OFFSET 0`): joined, it is at the mercy of statistics, and where those have
# not met an application yet, all of its users would be gone through for each endpoint.
USER_BY_KEY: Final = """
LEFT JOIN LATERAL (
    SELECT attributes FROM user_profile
    WHERE application = e.application AND user_id = e.user_id OFFSET 0
) AS u ON true
"""

_FROM: Final = f"SELECT {SELECTED} FROM endpoint e {USER_BY_KEY} WHERE e.application = $1"

_HELD: Final = """ AND e.channel_type = $2 AND e.status = 1 AND e.address = ANY($3::text[])
AND hashtextextended(e.address::text, 0) = ANY(ARRAY(
    SELECT hashtextextended(held, 0) FROM unnest($3::text[]) AS held))"""

_PLAN: Final = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"


async def some(pool: Pool, application: str, endpoints: Sequence[str]) -> dict[str, Row]:
    """Those of the endpoints that exist, by id."""
    sql = f"{_FROM} AND e.endpoint = ANY($2::text[])"
    return {row[0]: row for row in await _fetch(pool, sql, application, list(endpoints))}


async def of_addresses(
    pool: Pool, application: str, channel_type: int, addresses: Sequence[str]
) -> Sequence[Row]:
    """The active endpoint of each address that has one, by address: the one changed last."""
    sql = f"SELECT DISTINCT ON (e.address) {_FROM.removeprefix('SELECT ')}{_HELD}"
    sql += " ORDER BY e.address, e.update_time DESC, e.endpoint"
    return await _fetch(pool, sql, application, channel_type, list(addresses))


async def page(
    pool: Pool, application: str, *, asked: str, after: str, limit: int
) -> Sequence[Row]:
    """The next endpoints that an AIP-160 filter finds, by id; an empty one finds all."""
    question = listing.compiled(asked, application, given=[application, after, limit])
    sql = f"{_FROM} AND e.endpoint > $2 AND {question.condition} ORDER BY e.endpoint LIMIT $3"
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        # Whether an index helps depends on the values.
        await connection.execute(_PLAN)
        return await _fetch(connection, sql, *question.parameters)


async def page_of_user(
    pool: Pool, application: str, user_id: str, *, after: str, limit: int
) -> Sequence[Row]:
    """The next endpoints of a user, by id."""
    sql = f"{_FROM} AND e.user_id = $2 AND e.user_id <> '' AND e.endpoint > $3"
    sql += " ORDER BY e.endpoint LIMIT $4"
    return await _fetch(pool, sql, application, user_id, after, limit)


async def _fetch(connection: Any, sql: str, *parameters: Any) -> Sequence[Row]:
    rows: Sequence[Row] = await connection.fetch(sql, *parameters)
    return rows
