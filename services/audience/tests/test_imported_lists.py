"""The life of a list: unseen while it comes, whole at once, and gone when nobody names it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from audience import housekeeping
from audience.segments import lists
from audience.segments.compiling import compiled
from audience.settings import Settings
from audience_files import people
from audience_room import SHOP, Room
from audience_segments import GOLD
from heliograph.audience.v1 import import_job_pb2
from heliograph.audience.v1 import segment_service_pb2 as pb
from heliograph.audience.v1 import transfer_service_pb2 as transfers_pb
from heliograph.audience.v1.segment_pb2 import ImportedMembers
from mesh.errors import Error, NotFound
from mesh.store import pool, purging
from mesh.testkit import eventually

Job = import_job_pb2.ImportJob
VIP = f"{SHOP}/segments/vip"
ENDPOINTS = """
ALTER TABLE endpoint SET (autovacuum_enabled = off);
ALTER TABLE imported_user SET (autovacuum_enabled = off);
INSERT INTO endpoint SELECT 'shop', 'e' || n, 3, 't' || n, '{}', '{}', '{}', '{}', 'u' || n / 3,
    1, 1, '[]', now(), now(), 1
FROM generate_series(1, 5000) AS n
"""
SPEC = {"segment_id": "vip"}
PURGES = housekeeping.purges(Settings())


async def counted(room: Room, segment: str = VIP) -> int:
    return (await room.segments.CountSegment(pb.CountSegmentRequest(name=segment))).total


async def purge(room: Room) -> None:
    while await purging.step(room.sessions, PURGES, room.now() + timedelta(seconds=1)):
        pass


async def kept(database_url: str) -> list[int]:
    """Rows of lists, of endpoints in them, and of users."""
    async with pool.create(database_url, max_size=1) as opened:
        return [
            await opened.fetchval(f"SELECT count(*) FROM imported_{noun}")
            for noun in ("list", "endpoint", "user")
        ]


async def half_way(room: Room) -> Any:
    """An import whose worker was killed in the middle; its operation."""
    room.limit(chunk_lines=25)
    operation = await room.upload(people(1000), spec=SPEC)
    first = asyncio.create_task(room.worker.step())

    async def moved() -> bool:
        return (await room.job(operation)).imported_count > 0

    await eventually(moved)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    return operation


async def test_a_list_is_seen_when_it_is_whole_and_outlives_a_killed_worker(
    room: Room, database_url: str
) -> None:
    operation = await half_way(room)
    with pytest.raises(NotFound):
        await counted(room)
    await purge(room)
    assert 0 < (await kept(database_url))[1] < 1000

    await room.another_worker(database_url).step()

    job = await room.job(operation)
    segment = await room.segments.GetSegment(pb.GetSegmentRequest(name=VIP))
    assert (job.state, job.segment) == (Job.SUCCEEDED, f"{VIP}/versions/1")
    assert await counted(room) == segment.imported.endpoint_count == 1000
    assert dict(segment.imported.counts_by_channel) == {"SMS": 1000}


async def test_a_list_that_was_stopped_leaves_nothing_and_changes_nothing(
    room: Room, database_url: str
) -> None:
    await room.imported(people(3), spec=SPEC)
    operation = await half_way(room)

    job = await room.job(operation)
    await room.transfers.CancelImportJob(transfers_pb.CancelImportJobRequest(name=job.name))
    await room.work()
    ended = await room.job(operation)
    await purge(room)

    assert (ended.state, ended.segment) == (Job.CANCELLED, "")
    assert await counted(room) == 3
    assert await kept(database_url) == [1, 3, 0]


async def test_a_failed_import_leaves_the_segment_as_it_was(room: Room, database_url: str) -> None:
    await room.imported(people(3), spec=SPEC)

    job = await room.imported(b"Colour\nred\n", spec=SPEC)
    await purge(room)

    assert job.state == Job.FAILED
    assert await counted(room) == 3
    assert await kept(database_url) == [1, 3, 0]


async def test_a_segment_that_asks_a_question_by_then_stays_one(room: Room) -> None:
    operation = await room.upload(people(3), spec=SPEC)
    await room.create_segment(GOLD, "vip")

    await room.work()

    job = await room.job(operation)
    assert (job.state, job.imported_count) == (Job.FAILED, 3)
    assert "SEGMENT_NOT_IMPORTED" in str(job.error.details[0].value)
    assert await counted(room) == 0


async def test_the_members_of_a_deleted_segment_go_in_batches(
    room: Room, database_url: str
) -> None:
    job = await room.imported(b"User.UserId\nann\nbob\n", spec={"segment_id": "users"})
    await room.imported(people(5000), spec=SPEC)
    await room.segments.DeleteSegment(pb.DeleteSegmentRequest(name=VIP))
    steps = []
    while deleted := await purging.step(room.sessions, PURGES, room.now() + timedelta(seconds=1)):
        steps.append(deleted)

    assert len(steps) >= 3
    assert max(steps) <= purging.ROWS_MAX
    assert await kept(database_url) == [1, 0, 2]
    assert await counted(room, job.segment) == 0


async def test_members_go_with_their_application(room: Room, database_url: str) -> None:
    from audience import tables
    from mesh.aip import request_ids
    from mesh.store import erasing

    await room.imported(people(3), spec=SPEC)
    erased = {rows.table for rows in erasing.rows_of(tables.metadata, request_ids.metadata)}

    assert {"imported_list", "imported_endpoint", "imported_user"} <= erased


async def test_users_are_found_by_their_index_though_nothing_is_known_of_the_tables(
    room: Room, database_url: str
) -> None:
    job = await room.imported(b"User.UserId\nann\nbob\n", spec={"segment_id": "users"})
    imported = ImportedMembers(user_count=2)
    question = lists.question("shop", job.name.rpartition("/")[2], imported)
    asked = compiled(question, given=["shop"])
    async with pool.create(database_url, max_size=1) as opened:
        await opened.execute(ENDPOINTS)
        assert (
            await opened.fetchval(
                "SELECT max(reltuples) FROM pg_class WHERE relname IN ('endpoint', 'imported_user')"
            )
            == -1
        )
        plan = await opened.fetch(
            "EXPLAIN SELECT FROM endpoint e WHERE e.application = $1 AND " + asked.condition,
            *asked.parameters,
        )

    words = "\n".join(row[0] for row in plan)
    assert "endpoint_user_idx" in words
    assert "Join Filter" not in words


async def test_two_imports_into_one_segment_are_two_versions(room: Room, database_url: str) -> None:
    operations = [await room.upload(people(count), spec=SPEC) for count in (300, 200)]
    workers = [room.another_worker(database_url) for _ in operations]

    async def work(worker: Any) -> None:
        while await worker.step():
            pass

    await asyncio.gather(*map(work, workers))

    jobs = [await room.job(operation) for operation in operations]
    assert sorted(job.segment for job in jobs) == [f"{VIP}/versions/{one}" for one in (1, 2)]
    assert [await counted(room, job.segment) for job in jobs] == [300, 200]


async def test_an_import_for_nobody_leaves_no_segment(room: Room) -> None:
    with pytest.raises(Error) as refusal:
        await room.upload(people(1), spec={"segment_id": "Not An Id"})

    assert refusal.value.code == "INVALID_ARGUMENT"
