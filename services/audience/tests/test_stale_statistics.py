"""An application that PostgreSQL's statistics have not met yet is asked by its keys all the same.

It is taken to have one endpoint and one user then, so that going through all of its users for each
of its endpoints seems as cheap as looking them up.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest_asyncio
from audience.endpoints import queries as endpoint_queries
from audience.segments import queries, scanning
from audience.segments.behaviours import Window
from audience_room import Room
from google.protobuf.json_format import ParseDict
from heliograph.audience.v1 import segment_filter_pb2 as pb
from mesh.store import pool

COUNT = 10_000
SECONDS_MAX = 5.0
"""What a statement may take: hundreds of times of what it does, less than half of what it did."""

ADAS = ParseDict(
    {"user_attribute": {"name": "name", "operator": "INCLUSIVE", "values": ["Ada"]}},
    pb.SegmentFilter(),
)
FILL_ENDPOINTS = f"""
INSERT INTO endpoint
SELECT $1, 'e' || i, 3, 't' || i, '{{}}', '{{}}', '{{}}', '{{}}', 'u' || i, 1, 1, '[]',
    now(), now(), 1
FROM generate_series(1, {COUNT}) AS i
"""
FILL_USERS = f"""
INSERT INTO user_profile SELECT $1, 'u' || i, '{{"name": ["Ada"]}}', now(), now(), 1
FROM generate_series(1, {COUNT}) AS i
"""


@pytest_asyncio.fixture(loop_scope="session")
async def impatient(room: Room, database_url: str) -> "AsyncIterator[asyncpg.Pool[asyncpg.Record]]":
    """A pool with little time for each statement."""
    async with pool.create(
        database_url, max_size=2, statement_timeout_seconds=SECONDS_MAX
    ) as opened:
        for application in ("known", "new"):
            await opened.execute(FILL_ENDPOINTS, application)
            await opened.execute(FILL_USERS, application)
            if application == "known":
                await opened.execute("ANALYZE endpoint, user_profile")
        yield opened


async def test_segments_ask_about_users_by_their_keys_or_as_a_whole(
    impatient: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    window = Window([f"e{index}" for index in range(1, 1001)], {})
    scan = scanning.Scan(impatient, "new", ADAS, None, asyncio.Semaphore(1), looked_at_max=1)

    counted = await queries.counts(impatient, "new", ADAS)
    counted_in_window = await queries.counts(impatient, "new", ADAS, window)
    page = await queries.page(impatient, "new", ADAS, after="", limit=1000)
    members = await queries.members(impatient, "new", ADAS, window)
    found = await queries.members_in(impatient, "new", ADAS, window, datetime.now(UTC))

    assert (counted[0][1], counted_in_window[0][1]) == (COUNT, 1000)
    assert (len(page), len(members), len(found)) == (1000, 1000, 1000)
    assert sum([len(rows) async for rows in scan.pages("", 1000)]) == COUNT


async def test_endpoints_are_read_by_name_and_listed_with_their_users(
    impatient: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    names = [f"e{index}" for index in range(1, 1001)]

    assert len(await endpoint_queries.some(impatient, "new", names)) == 1000
    listed = await endpoint_queries.page(impatient, "new", asked="", after="", limit=1000)
    assert len(listed) == 1000
