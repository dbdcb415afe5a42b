"""Where imports come from: the open folder and uploads; what is not taken."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from audience_exports import exported
from audience_files import people
from audience_room import SHOP, UPLOAD_BYTES_MAX, Room
from heliograph.audience.v1 import import_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import Error, InvalidArgument, PermissionDenied, ResourceExhausted
from mesh.rpc import status

Job = import_job_pb2.ImportJob


async def test_a_file_of_the_open_folder_is_read(room: Room) -> None:
    _file(room, "shop/people.csv", people(3))
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, path="people.csv")
    )
    await room.work()

    job = await room.job(operation)
    assert (job.state, job.source, job.imported_count) == (Job.SUCCEEDED, "people.csv", 3)


async def test_a_folder_that_was_exported_is_one_import(room: Room) -> None:
    await room.imported(people(50))
    for form in ("CSV", "JSON_LINES"):
        await exported(room, path=form, spec={"format": form, "endpoints_per_file": 20})
        await asyncio.to_thread(
            shutil.copytree,
            room.export_folder / "shop" / form,
            room.import_folder / "shop/all" / form,
        )
    _file(room, "shop/all/z.csv", b"Id,Metrics.a\ne1,1\ne2,x\n")
    _file(room, "shop/all/_SUCCESS", b"done")
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, path="all/")
    )
    await room.work()

    job = await room.job(operation)
    failures = await room.transfers.ListImportFailures(
        pb.ListImportFailuresRequest(parent=job.name)
    )
    assert (job.state, job.part_count, job.processed_part_count) == (Job.SUCCEEDED, 7, 7)
    assert (job.imported_count, job.created_count, job.failed_count) == (101, 0, 1)
    assert [(one.file, one.line) for one in failures.import_failures] == [("all/z.csv", 3)]


async def test_a_folder_with_a_link_out_of_it_or_with_nothing_is_refused(room: Room) -> None:
    outside = _file(room, "other/people.csv", people(3))
    _file(room, "shop/all/people.csv", people(3)).with_name("link.csv").symlink_to(outside)
    (room.import_folder / "shop" / "empty").mkdir()
    for path, reason in (
        *(("all/", "IMPORT_PATH_NOT_ALLOWED"), ("../other/", "IMPORT_PATH_NOT_ALLOWED")),
        *(("empty/", "IMPORT_FILE_UNREADABLE"), ("none/", "IMPORT_FILE_UNREADABLE")),
    ):
        with pytest.raises(Error) as refusal:
            await room.transfers.ImportEndpoints(pb.ImportEndpointsRequest(parent=SHOP, path=path))
        assert refusal.value.reason == reason


@pytest.mark.parametrize("path", ["../other/people.csv", "/etc/passwd", "link.csv"])
async def test_a_path_out_of_the_open_folder_is_refused(room: Room, path: str) -> None:
    outside = _file(room, "other/people.csv", people(3))
    _file(room, "shop/people.csv", people(3)).with_name("link.csv").symlink_to(outside)

    with pytest.raises(PermissionDenied) as refusal:
        await room.transfers.ImportEndpoints(pb.ImportEndpointsRequest(parent=SHOP, path=path))
    assert refusal.value.reason == "IMPORT_PATH_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["missing.csv", "folder"])
async def test_a_file_that_cannot_be_read_is_refused_at_once(room: Room, path: str) -> None:
    (room.import_folder / "shop" / "folder").mkdir(parents=True)

    with pytest.raises(Error) as refusal:
        await room.transfers.ImportEndpoints(pb.ImportEndpointsRequest(parent=SHOP, path=path))
    assert refusal.value.reason == "IMPORT_FILE_UNREADABLE"


async def test_a_file_that_changed_meanwhile_is_not_read(room: Room) -> None:
    _file(room, "shop/people.csv", people(3))
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, path="people.csv")
    )
    _file(room, "shop/people.csv", people(4))
    await room.work()

    job = await room.job(operation)
    assert status.to_error(job.error).reason == "IMPORT_FILE_CHANGED"


async def test_an_upload_that_breaks_leaves_nothing(room: Room) -> None:
    sent = asyncio.Event()

    async def requests() -> AsyncIterator[pb.UploadEndpointsRequest]:
        yield pb.UploadEndpointsRequest(parent=SHOP, header={"file_name": "people.csv"})
        yield pb.UploadEndpointsRequest(parent=SHOP, chunk=people(10))
        sent.set()
        await asyncio.Event().wait()

    async def upload() -> None:
        await room.transfers.UploadEndpoints(requests())

    uploading = asyncio.create_task(upload())
    await sent.wait()
    uploading.cancel()
    await asyncio.gather(uploading, return_exceptions=True)

    await room.work()
    jobs = await room.transfers.ListImportJobs(pb.ListImportJobsRequest(parent=SHOP))
    assert not jobs.import_jobs


async def test_an_upload_beyond_the_limit_is_refused(room: Room) -> None:
    with pytest.raises(ResourceExhausted) as refusal:
        await room.upload(b"x" * (UPLOAD_BYTES_MAX + 1), size=300_000)

    assert refusal.value.reason == "UPLOAD_TOO_LARGE"


@pytest.mark.parametrize("order", [["chunk"], ["header", "header"], []])
async def test_an_upload_begins_with_one_header(room: Room, order: list[str]) -> None:
    payloads = {"chunk": {"chunk": b"Id\n"}, "header": {"header": {}}}

    async def requests() -> AsyncIterator[pb.UploadEndpointsRequest]:
        for kind in order:
            yield pb.UploadEndpointsRequest(parent=SHOP, **payloads[kind])

    with pytest.raises(InvalidArgument) as refusal:
        await room.transfers.UploadEndpoints(requests())
    assert refusal.value.reason == "UPLOAD_OUT_OF_ORDER"


def _file(room: Room, path: str, data: bytes) -> Path:
    file = room.import_folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file
