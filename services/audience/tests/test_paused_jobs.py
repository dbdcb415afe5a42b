"""Jobs that somebody holds: no worker has them, they go on where they were, and can be ended."""

import asyncio
import json
from typing import Any

import pytest
from audience.transfers.worker import Worker
from audience_exports import Job as ExportJob
from audience_exports import read, told
from audience_files import people
from audience_room import SHOP, Room
from google.longrunning import operations_pb2
from heliograph.audience.v1 import events_pb2, import_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import FailedPrecondition
from mesh.rpc import status
from mesh.testkit import eventually

Job = import_job_pb2.ImportJob
PEOPLE = 20_000


async def test_a_held_import_goes_on_from_its_last_committed_line_also_after_a_death(
    room: Room, database_url: str
) -> None:
    operation = await room.upload(people(PEOPLE), size=50_000)
    name = (await room.job(operation)).name
    running = await _begun(room, operation, room.worker)
    held = await room.transfers.PauseImportJob(pb.PauseImportJobRequest(name=name))
    await running

    paused = await room.job(operation)
    assert (held.state, paused.state) == (Job.PAUSED, Job.PAUSED)
    assert 0 < paused.imported_count < PEOPLE
    assert not await room.worker.step()
    assert (await room.job(operation)).imported_count == paused.imported_count

    resumed = await room.transfers.ResumeImportJob(pb.ResumeImportJobRequest(name=name))
    dying = asyncio.create_task(room.worker.step())

    async def has_got_on() -> bool:
        return (await room.job(operation)).imported_count > paused.imported_count

    await eventually(has_got_on)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await room.another_worker(database_url).step()

    job = await room.job(operation)
    assert resumed.state == Job.QUEUED
    assert (job.state, job.imported_count, job.created_count) == (Job.SUCCEEDED, PEOPLE, PEOPLE)


async def _begun(room: Room, operation: operations_pb2.Operation, worker: Worker) -> Any:
    """A worker that has committed something."""
    running = asyncio.create_task(worker.step())

    async def has_moved() -> bool:
        return (await room.job(operation)).imported_count > 0

    await eventually(has_moved)
    return running


async def test_a_held_export_goes_on_after_its_last_complete_file(
    room: Room, database_url: str, reading: Any
) -> None:
    await room.imported(people(1000))
    room.exporter = room.another_exporter(database_url, reading, 10, 1)
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="all", spec={"endpoints_per_file": 250})
    )
    name = (await told(room, operation)).name
    running = asyncio.create_task(room.exporter.step())

    async def has_moved() -> bool:
        return len((await told(room, operation)).files) > 0

    await eventually(has_moved)
    await room.transfers.PauseExportJob(pb.PauseExportJobRequest(name=name))
    await running

    paused = await room.transfers.GetExportJob(pb.GetExportJobRequest(name=name))
    with pytest.raises(FailedPrecondition) as taken:
        await room.transfers.ExportEndpoints(pb.ExportEndpointsRequest(parent=SHOP, path="all"))
    assert not await room.exporter.step()
    await room.transfers.ResumeExportJob(pb.ResumeExportJobRequest(name=name))
    await room.another_exporter(database_url, reading).step()

    job = await told(room, operation)
    files = await asyncio.to_thread(read, room, "all")
    ids = [json.loads(line)["Id"] for data in files.values() for line in data.splitlines()]
    assert (paused.state, 0 < len(paused.files) < 4) == (ExportJob.PAUSED, True)
    assert taken.value.reason == "EXPORT_FOLDER_NOT_EMPTY"
    assert (job.state, job.exported_count, list(job.files)) == (
        *(ExportJob.SUCCEEDED, 1000),
        list(files),
    )
    assert ids == sorted(f"e{index}" for index in range(1000))


@pytest.mark.parametrize("by", ["job", "operation"])
async def test_a_held_job_can_be_ended(room: Room, by: str) -> None:
    operation = await room.upload(people(10))
    name = (await room.job(operation)).name
    await room.transfers.PauseImportJob(pb.PauseImportJobRequest(name=name))
    if by == "job":
        await room.transfers.CancelImportJob(pb.CancelImportJobRequest(name=name))
    else:
        asked = operations_pb2.CancelOperationRequest(name=operation.name)
        await room.operations.CancelOperation(asked)
        await room.work()

    ended = await room.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    assert (await room.job(operation)).state == Job.CANCELLED
    assert (ended.done, status.to_error(ended.error).reason) == (True, "IMPORT_CANCELLED")
    assert len(await room.announced(events_pb2.ImportFinished)) == 1
    assert await room.listed() == []


async def test_holding_and_going_on_are_safe_to_repeat_until_the_job_has_ended(room: Room) -> None:
    operation = await room.upload(people(10))
    name = (await room.job(operation)).name
    pause, resume = pb.PauseImportJobRequest(name=name), pb.ResumeImportJobRequest(name=name)

    resumed = [await room.transfers.ResumeImportJob(resume)]
    held = [await room.transfers.PauseImportJob(pause) for _ in range(2)]
    resumed += [await room.transfers.ResumeImportJob(resume) for _ in range(2)]
    await room.work()

    assert [job.state for job in held] == [Job.PAUSED] * 2
    assert [job.state for job in resumed] == [Job.QUEUED] * 3
    assert (await room.job(operation)).state == Job.SUCCEEDED
    with pytest.raises(FailedPrecondition) as late:
        await room.transfers.PauseImportJob(pause)
    with pytest.raises(FailedPrecondition) as later:
        await room.transfers.ResumeImportJob(resume)
    assert {late.value.reason, later.value.reason} == {"IMPORT_ENDED"}
