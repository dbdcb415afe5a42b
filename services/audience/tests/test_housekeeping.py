"""What is old goes, in batches: ended imports with all that is theirs, and request ids."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from audience import housekeeping
from audience.settings import Settings
from audience_files import people
from audience_room import SHOP, Room
from google.longrunning import operations_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import NotFound
from mesh.store import pool, purging

PURGES = housekeeping.purges(Settings(import_retention_days=90, request_id_retention_days=30))
BAD_ROWS = 5_000


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Any]:
    """The tables, to make them older than they are."""
    async with pool.create(database_url, max_size=1) as opened:
        yield opened


async def purge(room: Room, days_later: float = 0.0) -> list[int]:
    """Purge until nothing is left to do, as of some days from now; the rows of each step."""
    steps = []
    while deleted := await purging.step(
        room.sessions, PURGES, room.now() + timedelta(days=days_later)
    ):
        steps.append(deleted)
    return steps


async def sources(room: Room) -> list[str]:
    """The files of the jobs there are."""
    listed = await room.transfers.ListImportJobs(pb.ListImportJobsRequest(parent=SHOP))
    return [job.source for job in listed.import_jobs]


async def test_an_import_that_ended_long_ago_goes_with_its_refused_rows(
    room: Room, database: Any
) -> None:
    bad = b"Id,Metrics.a\n" + b"e,x\n" * BAD_ROWS
    old = await room.imported(people(3) + b"SMS,none,bad\n", file_name="old.csv")
    worst = await room.imported(bad, file_name="worst.csv")
    await database.execute(
        "UPDATE import_job SET end_time = end_time - interval '91 days'; "
        "UPDATE operations SET update_time = update_time - interval '91 days'"
    )
    young = await room.imported(bad[:100], file_name="young.csv")

    steps = await purge(room)

    assert max(steps) <= len(PURGES) * purging.ROWS_MAX
    assert sum(steps) == BAD_ROWS + 1 + 2 + 2
    assert await sources(room) == ["young.csv"]
    assert await room.failures(young.name)
    for job in (old, worst):
        with pytest.raises(NotFound):
            await room.failures(job.name)
        with pytest.raises(NotFound):
            await room.operations.GetOperation(
                operations_pb2.GetOperationRequest(name=job.operation)
            )
    assert await room.listed() == ["e0", "e1", "e2"]
    assert await database.fetchval("SELECT count(*) FROM import_failure") == young.failed_count


async def test_an_import_that_has_not_ended_stays_however_old_it_is(
    room: Room, database: Any
) -> None:
    operation = await room.upload(people(3))
    await database.execute("UPDATE import_job SET create_time = create_time - interval '900 days'")
    await database.execute("UPDATE operations SET update_time = update_time - interval '900 days'")

    assert await purge(room) == []

    await room.work()
    assert (await room.job(operation)).imported_count == 3


async def test_a_request_id_is_known_for_its_days_and_not_longer(room: Room) -> None:
    first = await room.upload(people(3), request_id="r1")

    await purge(room, 29)
    assert await room.upload(people(3), request_id="r1") == first
    await purge(room, 31)

    assert await room.upload(people(3), request_id="r1") != first


async def test_an_opt_out_stays_for_ever_and_an_opt_in_for_its_month(
    room: Room, database: Any
) -> None:
    await database.execute(
        "INSERT INTO address_opt_out VALUES ('shop', '+1', 'default', true, now(), ''), "
        "('shop', '+2', 'default', false, now(), '')"
    )

    await purge(room, 29)
    assert await database.fetchval("SELECT count(*) FROM address_opt_out") == 2
    await purge(room, 31)

    assert await database.fetchval("SELECT string_agg(address, '') FROM address_opt_out") == "+1"


async def test_old_rows_are_found_by_an_index(room: Room, database: Any) -> None:
    await database.execute(
        "INSERT INTO import_failure SELECT 'shop', 'j' || n / 1000, n, '', '', '' "
        "FROM generate_series(1, 50000) n; "
        "INSERT INTO request_ids SELECT 'shop', 'm', n::text, '', '', now() "
        "FROM generate_series(1, 50000) n; "
        "INSERT INTO operations SELECT 'shop', n::text, true, false, '', '', '', now(), now() "
        "FROM generate_series(1, 50000) n; "
        "INSERT INTO address_opt_out SELECT 'shop', n::text, 'default', n > 10, now(), '' "
        "FROM generate_series(1, 50000) n; "
        "ANALYZE import_failure, request_ids, operations, address_opt_out"
    )
    for one in PURGES:
        if one.table == "import_job":
            continue
        plan = await database.fetch(
            f"EXPLAIN SELECT ctid FROM {one.table} "
            f"WHERE {one.condition.replace(':before', 'now() - make_interval(days => 90)')} "
            f"LIMIT {purging.ROWS_MAX} FOR UPDATE SKIP LOCKED"
        )

        text = "\n".join(line[0] for line in plan)
        assert f"Seq Scan on {one.table}" not in text, text
