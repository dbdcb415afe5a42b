"""The questions a segment answers, all by the one condition that its filter compiles to."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import asyncpg
from heliograph.audience.v1 import segment_filter_pb2 as pb
from heliograph.audience.v1.endpoint_pb2 import Endpoint

from audience import channels
from audience.endpoints.queries import USER_BY_KEY
from audience.endpoints.rendering import SELECTED
from audience.segments.behaviours import Window
from audience.segments.compiling import compiled
from audience.segments.lists import Reading

Row: TypeAlias = "asyncpg.Record"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_PHONES: Final = ", ".join(map(str, sorted(channels.PHONES)))
# The opt-outs are looked up by hash when they are few, and by their key when they are many.
_ELIGIBLE: Final = f"""
e.status = {Endpoint.ACTIVE} AND e.opt_out = {Endpoint.NONE} AND NOT (
    e.channel_type IN ({_PHONES}) AND EXISTS (
        SELECT FROM address_opt_out o
        WHERE o.application = $1 AND o.address = e.address AND o.opted_out
    )
)
"""
_AFTER: Final = "e.application = $1 AND e.endpoint > $2::text"
_IS: Final = "AND e.endpoint = $2::text"
_AMONG: Final = "AND e.endpoint = ANY($2::text[])"
# Of all endpoints: joined as a whole.
_USERS: Final = (
    "LEFT JOIN user_profile u ON u.application = e.application AND u.user_id = e.user_id"
)
# The best plan depends on the values asked for, and making one costs little beside a page. Where
# statistics have not met an application yet, PostgreSQL expects one row of it, and would go through
# all of its users, or through all of a list, for each endpoint: never joined so, it looks users up
# by their key or joins them as a whole.
_PLAN: Final = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('enable_nestloop', 'off', true)
"""
# A page is read along the key and ends when it is full. A table that was just filled has no
# statistics, and without them all that follows would be read and sorted, for each page again.
_PLAN_IN_ORDER: Final = f"""
{_PLAN}, set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)
"""


async def page(
    pool: Pool,
    application: str,
    question: pb.SegmentFilter,
    *,
    after: str,
    limit: int,
    read_time: datetime | None = None,
    looked_at_max: int | None = None,
) -> Sequence[Row]:
    """The next members by endpoint id, as rows of `rendering.SELECTED`.

    Of the next `looked_at_max` endpoints alone, where that is given.
    """
    given: list[Any] = [application, after, limit, read_time]
    source = "endpoint e"
    if looked_at_max is not None:
        given.append(looked_at_max)
        source = f"(SELECT * FROM endpoint e WHERE {_AFTER} ORDER BY e.endpoint LIMIT $5::int) AS e"
    asked = compiled(question, given=given, reading=Reading.PAGE)
    sql = (
        f"SELECT {SELECTED} FROM {source} {USER_BY_KEY} WHERE {_AFTER}"
        " AND ($4::timestamptz IS NULL OR e.create_time <= $4)"
        f" AND {asked.condition} ORDER BY e.endpoint LIMIT $3::int"
    )
    return await _fetch(pool, sql, asked.parameters, plan=_PLAN_IN_ORDER)


async def onwards(
    pool: Pool,
    application: str,
    question: pb.SegmentFilter,
    *,
    after: str,
    limit: int,
    read_time: datetime | None = None,
) -> AsyncGenerator[Sequence[Row], None]:
    """All further members by endpoint id, so many at a time; holds a connection meanwhile."""
    asked = compiled(question, given=[application, after, read_time])
    sql = (
        f"SELECT {SELECTED} FROM endpoint e {_USERS}"
        " WHERE e.application = $1 AND e.endpoint > $2::text"
        " AND ($3::timestamptz IS NULL OR e.create_time <= $3)"
        f" AND {asked.condition} ORDER BY e.endpoint"
    )
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(_PLAN)
        cursor = await connection.cursor(sql, *asked.parameters)
        while rows := await cursor.fetch(limit):
            yield rows


async def are_more_than(
    pool: Pool, application: str, count: int, *, after: str, last: str | None
) -> bool:
    """Whether there are more endpoints than so many after one, and up to another if given."""
    sql = (
        "SELECT EXISTS (SELECT FROM endpoint e WHERE e.application = $1 AND e.endpoint > $2::text"
        " AND ($3::text IS NULL OR e.endpoint <= $3) ORDER BY e.endpoint OFFSET $4::int)"
    )
    ((found,),) = await _fetch(pool, sql, (application, after, last, count), plan=_PLAN_IN_ORDER)
    return bool(found)


async def counts(
    pool: Pool, application: str, question: pb.SegmentFilter, window: Window | None = None
) -> Sequence[Row]:
    """Channel type, members, and those that are active and not known to have opted out.

    Of the endpoints in the window alone, where there is one.
    """
    given = [application, list(window.endpoints)] if window else [application]
    reading = Reading.WINDOW if window else Reading.ALL
    asked = compiled(question, given=given, sets=window.sets if window else None, reading=reading)
    users = USER_BY_KEY if window else _USERS
    sql = (
        "SELECT channel_type, count(*), count(*) FILTER (WHERE eligible) FROM ("
        f"SELECT e.channel_type, ({_ELIGIBLE}) AS eligible"
        f" FROM endpoint e {users if asked.asks_users else ''}"
        f" WHERE e.application = $1 {_AMONG if window else ''} AND {asked.condition}"
        # As part of the aggregate it would be planned for one row, and never by hash.
        " OFFSET 0) AS member GROUP BY channel_type ORDER BY channel_type"
    )
    return await _fetch(pool, sql, asked.parameters)


async def members(
    pool: Pool, application: str, question: pb.SegmentFilter, window: Window
) -> set[str]:
    """Those of the endpoints in the window that are members."""
    asks_one = len(window.endpoints) == 1
    given = [application, window.endpoints[0] if asks_one else list(window.endpoints)]
    asked = compiled(question, given=given, sets=window.sets, reading=Reading.WINDOW)
    sql = (
        f"SELECT e.endpoint FROM endpoint e {USER_BY_KEY if asked.asks_users else ''}"
        f" WHERE e.application = $1 {_IS if asks_one else _AMONG} AND {asked.condition}"
    )
    if asks_one:
        # One row by its key: PostgreSQL finds by itself that one plan does for all, and keeps it.
        return {row[0] for row in await pool.fetch(sql, *asked.parameters)}
    return {row[0] for row in await _fetch(pool, sql, asked.parameters)}


async def members_in(
    pool: Pool, application: str, question: pb.SegmentFilter, window: Window, read_time: datetime
) -> Sequence[Row]:
    """The members in the window by endpoint id, as rows of `rendering.SELECTED`."""
    given = [application, list(window.endpoints), read_time]
    asked = compiled(question, given=given, sets=window.sets, reading=Reading.WINDOW)
    sql = (
        f"SELECT {SELECTED} FROM endpoint e {USER_BY_KEY}"
        f" WHERE e.application = $1 {_AMONG} AND e.create_time <= $3::timestamptz"
        f" AND {asked.condition} ORDER BY e.endpoint"
    )
    return await _fetch(pool, sql, asked.parameters)


async def keys(pool: Pool, application: str, *, after: str, limit: int) -> list[str]:
    """The next endpoint ids, ascending."""
    sql = (
        "SELECT e.endpoint FROM endpoint e WHERE e.application = $1 AND e.endpoint > $2::text"
        " ORDER BY e.endpoint LIMIT $3::int"
    )
    rows = await _fetch(pool, sql, (application, after, limit), plan=_PLAN_IN_ORDER)
    return [row[0] for row in rows]


async def siblings(
    pool: Pool, application: str, endpoints: Sequence[str], read_time: datetime
) -> dict[str, str]:
    """All endpoints of the users of these endpoints that there were by then, with their users."""
    sql = (
        "SELECT s.endpoint, s.user_id FROM endpoint s"
        " WHERE s.application = $1 AND s.user_id <> '' AND s.create_time <= $3::timestamptz"
        " AND s.user_id = ANY(ARRAY(SELECT DISTINCT e.user_id FROM endpoint e"
        " WHERE e.application = $1 AND e.endpoint = ANY($2::text[]) AND e.user_id <> ''))"
    )
    return dict(await _fetch(pool, sql, (application, list(endpoints), read_time)))


async def owners(
    pool: Pool, application: str, endpoints: Sequence[str], read_time: datetime | None = None
) -> dict[str, str]:
    """Those of the endpoints that are there, or were by then, with their users, empty for none."""
    sql = (
        "SELECT e.endpoint, e.user_id FROM endpoint e WHERE e.application = $1"
        " AND e.endpoint = ANY($2::text[])"
        " AND ($3::timestamptz IS NULL OR e.create_time <= $3)"
    )
    return dict(await _fetch(pool, sql, (application, list(endpoints), read_time)))


async def _fetch(
    pool: Pool, sql: str, parameters: tuple[Any, ...], *, plan: str = _PLAN
) -> Sequence[Row]:
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute(plan)
        rows: Sequence[Row] = await connection.fetch(sql, *parameters)
        return rows
