"""Exports to object stores: parts that are seen when whole, gone on with, refused."""

import asyncio
import gzip
import json
import uuid
from typing import Any

import pytest
from audience_exports import Job, exported, told
from audience_files import people
from audience_room import SHOP, Room
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import Error, FailedPrecondition, PermissionDenied, Unavailable
from mesh.objects import targets
from mesh.objects.opening import Objects
from mesh.rpc import status
from mesh.testkit import eventually
from mesh.testkit.object_stores import HURRIED, READER, S3Server

pytestmark = pytest.mark.xdist_group("object_store")


@pytest.fixture
async def bucket(room: Room, s3_server: S3Server, database_url: str, reading: Any) -> str:
    """Exports of `shop` are open below this prefix of `exports`."""
    folder = f"{uuid.uuid4().hex}/"
    place = s3_server.place("export", f"s3://exports/{folder}{{application}}/")
    await opened(room, place, database_url=database_url, reading=reading)
    return f"{folder}shop/"


async def opened(room: Room, *places: Any, database_url: str, reading: Any) -> None:
    """Serve with these places open."""
    room.object_stores = places
    await room.serve()
    room.exporter = room.another_exporter(database_url, reading, page_size=50)


@pytest.mark.parametrize("form", ["JSON_LINES", "CSV", "PARQUET"])
async def test_an_export_to_a_store_is_the_one_to_a_folder(
    room: Room, s3_server: S3Server, bucket: str, form: str
) -> None:
    await room.imported(people(250))
    spec = {"format": form, "endpoints_per_file": 100}
    here = await exported(room, path="all", spec=spec)
    there = await exported(room, uri=f"s3://exports/{bucket}all", spec=spec)

    folder = room.export_folder / "shop" / "all"
    files = {name: (folder / name).read_bytes() for name in here.files}
    assert (there.state, there.target) == (Job.SUCCEEDED, f"s3://exports/{bucket}all")
    assert (there.exported_count, list(there.files)) == (250, list(here.files))
    assert await s3_server.read("exports", f"{bucket}all/") == files


async def test_a_killed_export_goes_on_after_its_last_whole_part(
    room: Room, s3_server: S3Server, bucket: str, database_url: str, reading: Any
) -> None:
    await room.imported(people(1000))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(
            parent=SHOP,
            uri=f"s3://exports/{bucket}all/",
            spec={"endpoints_per_file": 100, "compression": "GZIP"},
        )
    )
    first = asyncio.create_task(room.exporter.step())

    async def has_moved() -> bool:
        return (await told(room, operation)).exported_count > 0

    await eventually(has_moved)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    before = await told(room, operation)
    seen = await s3_server.read("exports", f"{bucket}all/")
    await room.another_exporter(database_url, reading).step()

    job = await told(room, operation)
    parts = await s3_server.read("exports", f"{bucket}all/")
    lines = [line for part in parts.values() for line in gzip.decompress(part).splitlines()]
    assert 0 < before.exported_count < 1000
    assert {name: parts[name] for name in seen} == seen
    assert (job.state, job.exported_count, list(job.files)) == (Job.SUCCEEDED, 1000, list(parts))
    assert [json.loads(line)["Id"] for line in lines] == sorted(
        f"e{index}" for index in range(1000)
    )


async def test_the_objects_of_a_deleted_application_go_with_it(
    room: Room, s3_server: S3Server, bucket: str
) -> None:
    await room.imported(people(5))
    await exported(room, uri=f"s3://exports/{bucket}a/", spec={"endpoints_per_file": 2})
    other = bucket.replace("shop", "other")
    await s3_server.put("exports", f"{other}a.csv", b"x")
    erase = targets.erasing_objects(Objects(room.object_stores))

    assert [await erase("shop"), await erase("shop")] == [3, 0]
    assert await s3_server.read("exports", other) == {"a.csv": b"x"}


async def test_a_part_is_seen_when_it_is_delivered_and_can_be_taken_back(
    room: Room, s3_server: S3Server, bucket: str
) -> None:
    objects, path = Objects(room.object_stores), f"s3://exports/{bucket}a/"
    seen = []
    async with targets.opened(objects, "shop", path) as target:
        await asyncio.to_thread(target.path("p").write_bytes, b"whole")
        for step in (lambda _: asyncio.sleep(0), target.deliver, target.withdraw):
            await step("p")
            seen.append(await s3_server.read("exports", bucket))
        beside = target.path("p").parent

    assert seen == [{}, {"a/p": b"whole"}, {}]
    assert not beside.exists()


async def test_a_folder_of_a_store_takes_one_export(
    room: Room, s3_server: S3Server, bucket: str
) -> None:
    await room.imported(people(3))
    await s3_server.put("exports", f"{bucket}taken/a.csv", b"x")
    await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, uri=f"s3://exports/{bucket}all")
    )
    for uri in (f"s3://exports/{bucket}taken/", f"s3://exports/{bucket}all/"):
        with pytest.raises(FailedPrecondition) as refusal:
            await exported(room, uri=uri)
        assert refusal.value.reason == "EXPORT_FOLDER_NOT_EMPTY"


async def test_a_place_of_another_application_or_for_imports_takes_no_export(
    room: Room, bucket: str
) -> None:
    other = bucket.replace("shop", "other")
    for uri in (f"s3://exports/{other}all/", "s3://imports/shop/all/", "https://a.example/shop/"):
        with pytest.raises(PermissionDenied) as refusal:
            await exported(room, uri=uri)
        assert refusal.value.reason == "EXPORT_PATH_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("place", "reason", "tries"),
    [
        ({"options": READER}, "OBJECT_STORE_DENIED", 1),
        ({"endpoint": "http://127.0.0.1:1"}, "OBJECT_STORE_UNAVAILABLE", 5),
    ],
)
async def test_a_store_that_takes_nothing_ends_the_job(
    room: Room,
    s3_server: S3Server,
    bucket: str,
    place: dict[str, Any],
    reason: str,
    tries: int,
    database_url: str,
    reading: Any,
) -> None:
    await room.imported(people(3))
    operation = await room.transfers.ExportEndpoints(
        pb.ExportEndpointsRequest(parent=SHOP, uri=f"s3://exports/{bucket}all/")
    )
    room.patience = HURRIED
    prefix = f"s3://exports/{bucket.replace('shop', '{application}')}"
    closed = s3_server.place("export", prefix, **place)
    await opened(room, closed, database_url=database_url, reading=reading)
    for _ in range(tries - 1):
        with pytest.raises(Unavailable):
            await room.exporter.step()
    await room.exporter.step()

    job = await told(room, operation)
    error: Error = status.to_error(job.error)
    assert (job.state, error.reason) == (Job.FAILED, reason)
    assert not await room.exporter.step()
