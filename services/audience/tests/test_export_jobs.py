"""The life of an export job: its folder, its worker, its breaks, and lists of it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from audience_exports import Job, exported, read, told
from audience_files import people
from audience_room import SHOP, Room
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import Error, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from mesh.objects import targets
from mesh.rpc import status
from mesh.testkit import eventually


async def test_what_is_created_after_the_job_is_left_out(room: Room) -> None:
    await room.imported(people(5))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="all")
    )
    await room.write("late", channel_type=3, address="t")
    await room.work()

    assert (await told(room, operation)).exported_count == 5


async def test_nobody_to_export_is_no_file_and_no_failure(room: Room) -> None:
    job = await exported(room, path="none")

    assert (job.state, list(job.files)) == (Job.SUCCEEDED, [])


async def test_a_killed_job_goes_on_after_its_last_complete_file(
    room: Room, database_url: str, reading: Any
) -> None:
    room.exporter = room.another_exporter(database_url, reading, page_size=30)
    await room.imported(people(1000))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="all", spec={"endpoints_per_file": 100})
    )
    first = asyncio.create_task(room.exporter.step())

    async def has_moved() -> bool:
        return (await told(room, operation)).exported_count > 0

    await eventually(has_moved)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    before = await told(room, operation)
    await room.another_exporter(database_url, reading).step()

    job = await told(room, operation)
    files = await asyncio.to_thread(read, room, "all")
    ids = [json.loads(line)["Id"] for data in files.values() for line in data.splitlines()]
    assert (0 < before.exported_count < 1000, before.state) == (True, Job.RUNNING)
    assert (job.state, job.exported_count, len(job.files)) == (Job.SUCCEEDED, 1000, 10)
    assert list(files) == list(job.files)
    assert ids == sorted(f"e{index}" for index in range(1000))


async def test_progress_is_told_within_a_file(room: Room, database_url: str, reading: Any) -> None:
    room.exporter = room.another_exporter(database_url, reading, 10, 1)
    await room.imported(people(1000))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="all")
    )
    running = asyncio.create_task(room.exporter.step())

    async def is_under_way() -> bool:
        job = await told(room, operation)
        return 0 < job.exported_count < 1000 == job.total_count and not job.files

    await eventually(is_under_way)
    await running
    assert (await told(room, operation)).exported_count == 1000


async def test_a_job_that_is_cancelled_leaves_no_partial_file(
    room: Room, database_url: str, reading: Any
) -> None:
    room.exporter = room.another_exporter(database_url, reading, 10, 1)
    await room.imported(people(2000))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="all", spec={"format": "CSV"})
    )
    running = asyncio.create_task(room.exporter.step())

    async def has_begun() -> bool:
        return (await told(room, operation)).exported_count > 0

    await eventually(has_begun)
    name = (await told(room, operation)).name
    await room.transfers.CancelExportJob(pb.CancelExportJobRequest(name=name))
    await running

    job = await room.transfers.GetExportJob(pb.GetExportJobRequest(name=name))
    assert job.state == Job.CANCELLED
    assert await asyncio.to_thread(read, room, "all") == {}


async def test_a_folder_that_cannot_be_written_ends_the_job(room: Room) -> None:
    await room.imported(people(3))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="all")
    )
    await asyncio.to_thread((room.export_folder / "shop" / "all").rmdir)
    await room.work()

    job = await told(room, operation)
    assert (job.state, status.to_error(job.error).reason) == (Job.FAILED, "EXPORT_NOT_WRITABLE")


@pytest.mark.parametrize("path", ["../other", "/etc", "link/there"])
async def test_a_path_out_of_the_open_folder_is_refused(room: Room, path: str) -> None:
    await asyncio.to_thread(_link, room.export_folder / "shop" / "link", room.import_folder)

    with pytest.raises(PermissionDenied) as refusal:
        await exported(room, path=path)
    assert refusal.value.reason == "EXPORT_PATH_NOT_ALLOWED"


def _link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True)
    place.symlink_to(target)


async def test_a_folder_takes_one_export(room: Room) -> None:
    await room.imported(people(3))
    request = pb.ExportEndpointsRequest(parent=SHOP, path="all", request_id="r1")
    first = await room.transfers.ExportEndpoints(request)
    assert first == await room.transfers.ExportEndpoints(request)
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as refusal:
            await room.transfers.ExportEndpoints(pb.ExportEndpointsRequest(parent=SHOP, path="all"))
        assert refusal.value.reason == "EXPORT_FOLDER_NOT_EMPTY"
        await room.work()


async def test_jobs_are_listed_newest_first_in_pages(room: Room) -> None:
    for index in range(3):
        await exported(room, path=str(index))
    first = await room.transfers.ListExportJobs(pb.ListExportJobsRequest(parent=SHOP, page_size=2))
    rest = await room.transfers.ListExportJobs(
        pb.ListExportJobsRequest(parent=SHOP, page_size=2, page_token=first.next_page_token)
    )

    assert [job.target for job in (*first.export_jobs, *rest.export_jobs)] == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("segment", "kind"),
    [
        ("applications/shop/segments/none", NotFound),
        ("applications/shop/segments/none/versions/1", NotFound),
        ("applications/copy/segments/s", InvalidArgument),
        ("segments/s", InvalidArgument),
    ],
)
async def test_a_segment_that_is_none_is_refused_at_once(
    room: Room, segment: str, kind: type[Error]
) -> None:
    with pytest.raises(kind):
        await exported(room, path="all", spec={"segment": segment})


async def test_the_files_of_a_deleted_application_go_with_it(room: Room) -> None:
    await room.imported(people(5))
    await exported(room, path="a", spec={"endpoints_per_file": 2})
    others = room.export_folder / "other" / "part-00000.jsonl"
    others.parent.mkdir()
    others.touch()
    erase = targets.erasing(str(room.export_folder))

    assert [await erase("shop"), await erase("shop")] == [3, 0]
    assert (others.exists(), (room.export_folder / "shop").exists()) == (True, False)
    assert await targets.erasing("")("shop") == 0
