"""Old rows go, in batches, whoever else is at it; everything else stays."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from mesh.store import engine, purging
from mesh.store.purging import ROWS_MAX, Purge, Sessions
from mesh.testkit import eventually
from sqlalchemy import text
from structlog.testing import capture_logs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD = Purge("note", "create_time < :before", timedelta(days=30))


@pytest_asyncio.fixture
async def sessions(database: str) -> AsyncIterator[Sessions]:
    """Sessions on a database with one table."""
    created = engine.create(database, pool_size=8)
    async with created.begin() as connection:
        await connection.execute(
            text("CREATE TABLE note (id serial PRIMARY KEY, create_time timestamptz NOT NULL)")
        )
    yield engine.sessions(created)
    await created.dispose()


async def add(sessions: Sessions, days_ago: float, count: int = 1) -> None:
    """So many rows of that age."""
    insert = "INSERT INTO note (create_time) SELECT :moment FROM generate_series(1, :count)"
    async with sessions.begin() as session:
        connection = await session.connection()
        moment = NOW - timedelta(days=days_ago)
        await connection.execute(text(insert), {"moment": moment, "count": count})


async def left(sessions: Sessions) -> int:
    """Rows that are there."""
    async with sessions() as session:
        connection = await session.connection()
        return (await connection.execute(text("SELECT count(*) FROM note"))).scalar_one()


async def test_what_is_old_goes_and_what_is_young_stays(sessions: Sessions) -> None:
    await add(sessions, 31, count=3)
    await add(sessions, 29.9, count=2)

    assert await purging.step(sessions, [OLD], NOW) == 3

    assert await left(sessions) == 2
    assert await purging.step(sessions, [OLD], NOW) == 0


async def test_a_batch_is_bounded(sessions: Sessions) -> None:
    await add(sessions, 31, count=2 * ROWS_MAX + 1)

    assert [await purging.step(sessions, [OLD], NOW) for _ in range(4)] == [
        ROWS_MAX,
        ROWS_MAX,
        1,
        0,
    ]


async def test_replicas_share_the_work_and_wait_for_nobody(sessions: Sessions) -> None:
    await add(sessions, 31, count=4 * ROWS_MAX)
    async with sessions.begin() as other:
        connection = await other.connection()
        await connection.execute(text("SELECT FROM note WHERE id = 1 FOR UPDATE"))

        deleted = await asyncio.gather(*(purging.step(sessions, [OLD], NOW) for _ in range(4)))
        while more := await purging.step(sessions, [OLD], NOW):
            deleted.append(more)

        assert sum(deleted) == 4 * ROWS_MAX - 1
    assert await purging.step(sessions, [OLD], NOW) == 1


async def test_the_loop_purges_all_there_is_and_outlasts_a_failure(sessions: Sessions) -> None:
    await add(sessions, 31, count=ROWS_MAX + 1)
    missing = Purge("nothing", "create_time < :before", timedelta(days=30))

    with capture_logs() as lines:
        loops = [
            asyncio.create_task(purging.run(sessions, purges, lambda: NOW, interval_seconds=0.05))
            for purges in ([OLD], [missing])
        ]
        await eventually(lambda: [line for line in lines if line["event"] == "purged"])
        await eventually(lambda: len([ln for ln in lines if ln["event"] == "worker.failed"]) > 1)
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)

    assert [line["rows"] for line in lines if line["event"] == "purged"] == [ROWS_MAX + 1]
    assert await left(sessions) == 0
