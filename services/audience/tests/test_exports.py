"""Exports: the files that jobs write, what becomes of them when read again, and streams."""

import asyncio
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from audience.transfers import exporting, members
from audience_files import people
from audience_room import SHOP, Room, values
from google.longrunning import operations_pb2
from heliograph.audience.v1 import export_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import Error, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from mesh.rpc import status
from mesh.store import pool
from mesh.testkit import eventually

Job = export_job_pb2.ExportJob

FIRST_HUNDRED = {"metric": {"name": "age", "comparison": "LESS_THAN", "value": 10}}
ROWS = (
    "SELECT endpoint, channel_type, address, attributes::text, metrics::text, demographic::text,"
    " location::text, user_id, opt_out, status, refused_topics::text,"
    " (SELECT u.attributes::text FROM user_profile u"
    "  WHERE u.application = e.application AND u.user_id = e.user_id)"
    " FROM endpoint e WHERE application = $1 ORDER BY endpoint"
)
TEXTS = ("golf", "a,b", '"quoted"', "two\nlines", "two\r\nlines", "\r", " x ", "Ünï", "\u2028", "0")


async def exported(room: Room, **request: Any) -> Job:
    """Ask for an export and run it; the job as it ended."""
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, **request)
    )
    await room.work()
    return await told(room, operation)


async def told(room: Room, operation: operations_pb2.Operation) -> Job:
    asked = operations_pb2.GetOperationRequest(name=operation.name)
    job = Job()
    (await room.operations.GetOperation(asked)).metadata.Unpack(job)
    return job


def read(room: Room, path: str) -> dict[str, bytes]:
    folder = room.export_folder / "shop" / path
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


async def test_the_whole_audience_is_written_in_the_shape_of_pinpoint(room: Room) -> None:
    await room.write(
        "ann",
        channel_type=4,
        address="ab" * 32,
        attributes=values(interest=["golf", "chess"]),
        metrics={"age": 31},
        location={"country": "DE", "latitude": 52.5, "longitude": 13.4},
        user={"user_id": "u1", "attributes": values(first=["Ann"])},
    )
    job = await exported(room, path="all", spec={"compression": "GZIP"})

    files = await asyncio.to_thread(read, room, "all")
    line = json.loads(gzip.decompress(files["part-00000.jsonl.gz"]))
    assert (job.state, job.exported_count, job.total_count) == (Job.SUCCEEDED, 1, 1)
    assert list(job.files) == list(files) == ["part-00000.jsonl.gz"]
    assert line.pop("CreationDate").endswith("Z")
    assert line.pop("EffectiveDate").endswith("Z")
    assert line == {
        "Id": "ann",
        "ApplicationId": "shop",
        "ChannelType": "APNS",
        "Address": "ab" * 32,
        "OptOut": "NONE",
        "EndpointStatus": "ACTIVE",
        "Attributes": {"interest": ["golf", "chess"]},
        "Metrics": {"age": 31.0},
        "Location": {"Country": "DE", "Latitude": 52.5, "Longitude": 13.4},
        "User": {"UserId": "u1", "UserAttributes": {"first": ["Ann"]}},
    }


@pytest.mark.parametrize(
    "spec",
    [
        {"format": "JSON_LINES"},
        {"format": "JSON_LINES", "compression": "ZSTD"},
        {"format": "CSV"},
        {"format": "CSV", "compression": "GZIP"},
        {"format": "PARQUET"},
        {"format": "PARQUET", "compression": "GZIP"},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", range(3))
async def test_what_is_imported_again_is_the_same(
    room: Room, database_url: str, spec: dict[str, Any], seed: int
) -> None:
    await fill(room, random.Random(seed))
    job = await exported(room, path="out", spec={**spec, "endpoints_per_file": 40})
    await room.create_application("copy")
    for name, data in (await asyncio.to_thread(read, room, "out")).items():
        await again(room, name, data)

    async with pool.create(database_url, max_size=1) as database:
        before, after = [await database.fetch(ROWS, one) for one in ("shop", "copy")]
    assert (job.exported_count, len(job.files)) == (100, 3)
    assert len(before) == 100
    assert [tuple(row) for row in after] == [tuple(row) for row in before]


async def fill(room: Room, chance: random.Random) -> None:
    """A hundred endpoints of every kind, some of which lost their address to another."""

    def some(count: int = 3) -> list[str]:
        return [chance.choice(TEXTS) for _ in range(chance.randint(1, count))]

    for index in range(100):
        user = {"user_id": f"u{chance.randint(0, 30)}"}
        await room.write(
            chance.choice(("e", "é", "E,", '"')) + str(index),
            channel_type=chance.choice((3, 4, 8, 13)),
            address=f"token-{chance.randint(0, 80)}",
            attributes=values(**{chance.choice(("interest", "a.b", "ö,")): some()}),
            metrics={"age": chance.choice((0.0, -1.5, 1e300, 0.1, 2.0**60))},
            demographic={"make": chance.choice(TEXTS), "timezone": "Europe/Berlin"},
            location=chance.choice(({"country": "DE"}, {"latitude": -0.1, "longitude": 179.9})),
            user=chance.choice(({}, user, {**user, "attributes": values(name=some())})),
            opt_out=chance.choice((1, 2)),
            refused_topics=chance.choice(([], ["news"], ["news", "a,b"])),
        )


async def again(room: Room, name: str, data: bytes) -> None:
    async def requests() -> Any:
        parent = "applications/copy"
        yield pb.UploadEndpointsRequest(parent=parent, header={"file_name": name})
        yield pb.UploadEndpointsRequest(parent=parent, chunk=data)

    operation = await room.transfers.UploadEndpoints(requests())
    await room.work()
    job = await room.job(operation)
    assert job.failed_count == 0, await room.failures(job.name)


async def test_a_segment_is_written_as_its_version_was_when_the_job_was_made(room: Room) -> None:
    await room.imported(people(100))
    segment = await room.create_segment(FIRST_HUNDRED, "young")
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="young", spec={"segment": segment.name})
    )
    await room.work()

    job = await told(room, operation)
    lines = (await asyncio.to_thread(read, room, "young"))["part-00000.jsonl"].splitlines()
    assert job.spec.segment == f"{segment.name}/versions/1"
    assert (job.exported_count, job.total_count) == (20, 20)
    assert {json.loads(line)["Metrics"]["age"] < 10 for line in lines} == {True}


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
    room: Room, database_url: str, reading: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "PAGE_SIZE", 30)
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


async def test_progress_is_told_within_a_file(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PROGRESS_ENDPOINTS", 1)
    monkeypatch.setattr(members, "PAGE_SIZE", 10)
    await room.imported(people(200))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, path="all")
    )
    running = asyncio.create_task(room.exporter.step())

    async def is_under_way() -> bool:
        job = await told(room, operation)
        return 0 < job.exported_count < 200 == job.total_count and not job.files

    await eventually(is_under_way)
    await running
    assert (await told(room, operation)).exported_count == 200


async def test_a_job_that_is_cancelled_leaves_no_partial_file(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PROGRESS_ENDPOINTS", 1)
    monkeypatch.setattr(members, "PAGE_SIZE", 10)
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


async def test_a_stream_gives_pages_and_goes_on_where_it_was_left(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "PAGE_SIZE", 30)
    await room.imported(people(100))
    segment = await room.create_segment(FIRST_HUNDRED, "young")
    everybody = [page async for page in _stream(room)]
    rest = [page async for page in _stream(room, after=everybody[0].last)]
    young = [page async for page in _stream(room, segment=segment.name)]

    assert [len(page.endpoints) for page in everybody] == [30, 30, 30, 10]
    assert rest == everybody[1:]
    assert sum(len(page.endpoints) for page in young) == 20


def _stream(room: Room, **request: Any) -> Any:
    return room.transfers.StreamExport(pb.StreamExportRequest(parent=SHOP, **request))
