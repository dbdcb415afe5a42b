"""The life of an import job: its worker, its end, its breaks, and lists of it."""

import asyncio

import pytest
from asyncpg import CheckViolationError
from audience.transfers.import_jobs import jobs
from audience_files import people
from audience_room import SHOP, Room
from google.longrunning import operations_pb2
from heliograph.audience.v1 import events_pb2, import_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import Error
from mesh.rpc import status
from mesh.store import pool
from mesh.testkit import eventually

Job = import_job_pb2.ImportJob


async def test_an_operation_ends_with_the_job_and_the_end_is_announced(room: Room) -> None:
    operation = await room.upload(people(10))
    assert not operation.done

    await room.work()

    ended = await room.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    job = Job()
    assert ended.done
    assert ended.response.Unpack(job)
    assert (job.imported_count, job.operation) == (10, operation.name)
    assert job == await room.transfers.GetImportJob(pb.GetImportJobRequest(name=job.name))
    (event,) = await room.announced(events_pb2.ImportFinished)
    assert (event.import_job, event.succeeded, event.imported_count) == (job.name, True, 10)


async def test_a_killed_job_goes_on_from_its_last_committed_line(
    room: Room, database_url: str
) -> None:
    room.limit(chunk_lines=50)
    operation = await room.upload(people(2000))
    first = asyncio.create_task(room.worker.step())
    await eventually(lambda: _moved(room, operation))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    before = await room.job(operation)

    await room.another_worker(database_url).step()

    job = await room.job(operation)
    assert 0 < before.imported_count < 2000
    assert before.state == Job.RUNNING
    assert (job.state, job.imported_count, job.created_count) == (Job.SUCCEEDED, 2000, 2000)


async def _moved(room: Room, operation: operations_pb2.Operation) -> bool:
    return (await room.job(operation)).imported_count > 0


async def test_a_job_has_one_worker(room: Room, database_url: str) -> None:
    room.limit(chunk_lines=50)
    operation = await room.upload(people(1000))
    workers = [room.another_worker(database_url) for _ in range(3)]

    ran = await asyncio.gather(*(worker.step() for worker in workers))

    # Each line counts once, and finds nobody who wrote it before.
    job = await room.job(operation)
    assert any(ran)
    assert (job.state, job.imported_count, job.created_count) == (Job.SUCCEEDED, 1000, 1000)


async def test_a_stopped_job_keeps_what_it_imported(room: Room) -> None:
    room.limit(chunk_lines=50)
    operation = await room.upload(people(2000))
    running = asyncio.create_task(room.worker.step())
    await eventually(lambda: _moved(room, operation))
    asked = operations_pb2.CancelOperationRequest(name=operation.name)
    await room.operations.CancelOperation(asked)
    await running

    job = await room.job(operation)
    ended = await room.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    assert job.state == Job.CANCELLED
    assert 0 < job.imported_count < 2000
    assert ended.error.code == status.from_error(_cancelled()).code


def _cancelled() -> Error:
    return jobs.cancelled()


async def test_a_waiting_job_is_cancelled_at_once(room: Room) -> None:
    job = await room.job(await room.upload(people(10)))
    cancelled = await room.transfers.CancelImportJob(pb.CancelImportJobRequest(name=job.name))
    await room.work()

    assert cancelled.state == Job.CANCELLED
    assert await room.listed() == []


async def test_a_job_that_never_gets_on_is_given_up(room: Room, database_url: str) -> None:
    async with pool.create(database_url, max_size=1) as database:
        await database.execute("ALTER TABLE endpoint ADD CONSTRAINT full_up CHECK (false)")
    operation = await room.upload(people(10))
    for _ in range(5):
        with pytest.raises(CheckViolationError):
            await room.worker.step()
    await room.worker.step()

    job = await room.job(operation)
    assert job.state == Job.FAILED
    assert status.to_error(job.error).reason == "IMPORT_ABANDONED"
    assert not await room.worker.step()


async def test_uploading_is_safe_to_repeat(room: Room) -> None:
    first = await room.upload(people(10), request_id="r1")
    again = await room.upload(people(10), request_id="r1")

    jobs = await room.transfers.ListImportJobs(pb.ListImportJobsRequest(parent=SHOP))
    assert first == again
    assert len(jobs.import_jobs) == 1


async def test_jobs_and_failures_are_listed_in_pages(room: Room) -> None:
    for index in range(3):
        await room.imported(b"Id,Metrics.a\n" + b"e,x\n" * 3, file_name=f"{index}.csv")
    first = await room.transfers.ListImportJobs(pb.ListImportJobsRequest(parent=SHOP, page_size=2))
    rest = await room.transfers.ListImportJobs(
        pb.ListImportJobsRequest(parent=SHOP, page_size=2, page_token=first.next_page_token)
    )
    job = first.import_jobs[0].name
    failures = await room.transfers.ListImportFailures(
        pb.ListImportFailuresRequest(parent=job, page_size=2)
    )
    last = await room.transfers.ListImportFailures(
        pb.ListImportFailuresRequest(parent=job, page_size=2, page_token=failures.next_page_token)
    )

    assert [one.source for one in (*first.import_jobs, *rest.import_jobs)] == [
        *("2.csv", "1.csv", "0.csv")
    ]
    assert [one.line for one in (*failures.import_failures, *last.import_failures)] == [2, 3, 4]
