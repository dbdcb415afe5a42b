"""Imports of objects: read by ranges from a real store, and every way in which it says no."""

import asyncio
import gzip
import io
import random
import uuid
from typing import Any

import obstore
import pyarrow as pa
import pytest
from audience.tables import ImportJobRow
from audience.transfers import sources
from audience_files import AWKWARD_FAILURES, awkward, people
from audience_room import SHOP, Room
from heliograph.audience.v1 import import_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.errors import (
    Error,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from mesh.objects.opening import Objects
from mesh.objects.sources import find_object
from mesh.rpc import status
from mesh.testkit import eventually
from mesh.testkit.object_stores import HURRIED, READER, S3Server
from pyarrow import parquet

pytestmark = pytest.mark.xdist_group("object_store")

Job = import_job_pb2.ImportJob


async def opened(room: Room, *places: Any, database_url: str) -> None:
    """Serve with these places open."""
    room.object_stores = places
    await room.serve()
    room.worker = room.another_worker(database_url)


@pytest.fixture
def folder() -> str:
    """A prefix of this test's own."""
    return f"{uuid.uuid4().hex}/"


@pytest.fixture
async def bucket(room: Room, s3_server: S3Server, database_url: str, folder: str) -> str:
    """Imports of `shop` are open below this prefix of `imports`, for a key that can only read."""
    place = s3_server.place("import", f"s3://imports/{folder}{{application}}/", options=READER)
    await opened(room, place, database_url=database_url)
    return f"{folder}shop/"


async def asked(room: Room, uri: str, **fields: Any) -> Any:
    return await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, uri=uri, **fields)
    )


@pytest.mark.parametrize("kind", ["plain", "gzip", "parquet"])
async def test_an_object_gives_what_the_same_file_gives(
    room: Room, s3_server: S3Server, bucket: str, kind: str
) -> None:
    data = {"plain": awkward, "gzip": lambda: gzip.compress(awkward()), "parquet": table}[kind]()
    uri = await s3_server.put("imports", f"{bucket}people ü.{kind}", data)
    operation = await asked(room, uri)
    await room.work()

    job = await room.job(operation)
    assert (job.state, job.source) == (Job.SUCCEEDED, uri)
    assert (job.total_bytes, job.processed_bytes) == (len(data), len(data))
    if kind == "parquet":
        assert job.imported_count == 300
    else:
        assert (job.imported_count, await room.failures(job.name)) == (5, AWKWARD_FAILURES)


def table() -> bytes:
    rows = [
        {"ChannelType": "SMS", "Address": f"+1415{5_000_000 + index}", "Id": f"e{index}"}
        for index in range(300)
    ]
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), out, row_group_size=100)
    return out.getvalue()


async def test_a_killed_job_goes_on_by_range_from_its_last_committed_line(
    room: Room, s3_server: S3Server, bucket: str, database_url: str
) -> None:
    uri = await s3_server.put("imports", f"{bucket}people.csv", people(20_000))
    operation = await asked(room, uri)
    first = asyncio.create_task(room.worker.step())
    await eventually(lambda: _moved(room, operation))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    before = await room.job(operation)
    await room.another_worker(database_url).step()

    job = await room.job(operation)
    assert 0 < before.imported_count < 20_000
    assert (job.state, job.imported_count, job.created_count) == (Job.SUCCEEDED, 20_000, 20_000)


async def _moved(room: Room, operation: Any) -> bool:
    return (await room.job(operation)).imported_count > 0


async def test_an_object_that_changed_meanwhile_is_not_read(
    room: Room, s3_server: S3Server, bucket: str
) -> None:
    uri = await s3_server.put("imports", f"{bucket}people.csv", people(3))
    changed = await asked(room, uri)
    await s3_server.put("imports", f"{bucket}people.csv", people(3).replace(b"e0", b"f0"))
    await room.work()

    job = await room.job(changed)
    assert (job.state, status.to_error(job.error).reason) == (Job.FAILED, "OBJECT_CHANGED")
    assert await room.listed() == []


async def test_ranges_of_an_object_are_the_object(
    room: Room, s3_server: S3Server, bucket: str
) -> None:
    data = random.Random(7).randbytes(11_000_000)
    uri = await s3_server.put("imports", f"{bucket}noise", data)
    objects = Objects(room.object_stores)
    file = await find_object(objects, "shop", uri)
    read = sources.Sources(room.sessions, objects)
    job = ImportJobRow(application="shop", **file._asdict(), total_bytes=file.size_bytes)

    for offset in (0, 1, 1024 * 1024, 5_500_000, len(data) - 1, len(data)):
        blocks = [block async for block in read.blocks(job, offset)]
        assert b"".join(blocks) == data[offset:]
    assert data[7_000_000:].startswith(await read.at(job, 7_000_000))


@pytest.mark.parametrize(
    ("place", "kind", "reason"),
    [
        ({}, NotFound, "OBJECT_NOT_FOUND"),
        ({"bucket": "no-such-bucket"}, NotFound, "OBJECT_NOT_FOUND"),
        (
            {"options": {"aws_secret_access_key": "wrong"}},
            *(FailedPrecondition, "OBJECT_STORE_DENIED"),
        ),
        ({"bucket": "exports", "options": READER}, FailedPrecondition, "OBJECT_STORE_DENIED"),
        ({"endpoint": "http://127.0.0.1:1"}, Unavailable, "OBJECT_STORE_UNAVAILABLE"),
    ],
)
async def test_a_store_that_says_no_is_told_at_once_and_precisely(
    s3_server: S3Server, place: dict[str, Any], kind: type[Error], reason: str
) -> None:
    bucket = place.pop("bucket", "imports")
    objects = Objects(
        (s3_server.place("import", f"s3://{bucket}/{{application}}/", **place),), HURRIED
    )
    store, uri = objects.find("import", "shop", f"s3://{bucket}/shop/none.csv")

    with pytest.raises(kind) as refusal:
        await store.head(uri.key)
    assert refusal.value.reason == reason
    assert "127.0.0.1" not in refusal.value.message


async def test_an_address_is_refused_before_anybody_is_asked(room: Room, bucket: str) -> None:
    outside = f"s3://imports/{bucket.replace('shop', 'other')}people.csv"
    for uri in (
        outside,
        "s3://secrets/shop/a.csv",
        "https://127.0.0.1/a.csv",
        "gs://imports/shop/a",
    ):
        with pytest.raises(PermissionDenied) as refusal:
            await asked(room, uri)
        assert refusal.value.reason == "IMPORT_PATH_NOT_ALLOWED"
    for uri in (f"s3://imports/{bucket}../other/a.csv", "file:///etc/passwd", "s3://imports"):
        with pytest.raises(InvalidArgument) as malformed:
            await asked(room, uri)
        assert malformed.value.reason == "OBJECT_URI_INVALID"


async def test_a_job_whose_object_is_gone_or_closed_fails_and_says_why(
    room: Room, s3_server: S3Server, bucket: str, database_url: str
) -> None:
    first = await asked(room, await s3_server.put("imports", f"{bucket}a.csv", people(3)))
    await obstore.delete_async(s3_server.bucket("imports"), f"{bucket}a.csv")
    await room.work()
    second = await asked(room, await s3_server.put("imports", f"{bucket}b.csv", people(3)))
    await opened(room, database_url=database_url)
    await room.work()

    ended = [await room.job(first), await room.job(second)]
    assert [job.state for job in ended] == [Job.FAILED] * 2
    assert [status.to_error(job.error).reason for job in ended] == [
        *("OBJECT_NOT_FOUND", "IMPORT_PATH_NOT_ALLOWED")
    ]


FOLDER = {
    "a.csv": people(40),
    "b/c.csv.gz": gzip.compress(awkward()),
    "b/d.parquet": table(),
    "b/_SUCCESS": b"done",
    "b/.hidden.csv": b"ChannelType\nSMS\n",
    "b/empty.csv": b"",
    "e.jsonl": b'{"ChannelType": "SMS", "Address": "+14155550177", "Id": "last"}\nno\n',
}


async def test_a_folder_is_imported_part_by_part_and_failures_name_the_part(
    room: Room, s3_server: S3Server, bucket: str
) -> None:
    for key, data in FOLDER.items():
        await s3_server.put("imports", f"{bucket}all/{key}", data)
    await s3_server.put("imports", f"{bucket}all-others/f.csv", people(50))
    folder = f"s3://imports/{bucket}all/"
    operation = await asked(room, folder)
    told = await room.job(operation)
    await room.work()

    job = await room.job(operation)
    size = sum(len(FOLDER[key]) for key in ("a.csv", "b/c.csv.gz", "b/d.parquet", "e.jsonl"))
    assert (told.part_count, told.processed_part_count, told.total_bytes) == (4, 0, size)
    assert (job.state, job.source, job.processed_part_count) == (Job.SUCCEEDED, folder, 4)
    assert (job.imported_count, job.processed_bytes) == (40 + 5 + 300 + 1, size)
    answer = await room.transfers.ListImportFailures(
        pb.ListImportFailuresRequest(parent=job.name, page_size=10)
    )
    rest = await room.transfers.ListImportFailures(
        pb.ListImportFailuresRequest(
            parent=job.name, page_size=10, page_token=answer.next_page_token
        )
    )
    failures = [*answer.import_failures, *rest.import_failures]
    assert {one.file for one in failures[:-1]} == {f"{folder}b/c.csv.gz"}
    assert [(one.line, one.field, one.reason) for one in failures[:-1]] == AWKWARD_FAILURES
    assert (failures[-1].file, failures[-1].line) == (f"{folder}e.jsonl", 2)


async def test_a_folder_goes_on_in_the_part_where_a_dead_worker_was(
    room: Room, s3_server: S3Server, bucket: str, database_url: str
) -> None:
    for part in range(5):
        rows = (
            people(1_500)
            .replace(b",e", f",p{part}e".encode())
            .replace(b",+1415", b",+1%d" % (212 + part))
        )
        await s3_server.put("imports", f"{bucket}all/part-{part}.csv", rows)
    operation = await asked(room, f"s3://imports/{bucket}all/")
    first = asyncio.create_task(room.worker.step())

    async def is_in_the_second() -> bool:
        return (await room.job(operation)).imported_count > 1_500

    await eventually(is_in_the_second)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    before = await room.job(operation)
    await room.another_worker(database_url).step()

    job = await room.job(operation)
    assert 1_500 < before.imported_count <= 7_500
    assert (job.state, job.imported_count, job.created_count) == (Job.SUCCEEDED, 7_500, 7_500)
    assert (job.processed_lines, job.processed_part_count) == (5 * 1_501, 5)


async def test_a_bad_part_ends_the_import_and_is_named(
    room: Room, s3_server: S3Server, bucket: str
) -> None:
    await s3_server.put("imports", f"{bucket}all/a.csv", people(3))
    bad = await s3_server.put("imports", f"{bucket}all/b.csv", gzip.compress(people(300))[:-9])
    operation = await asked(room, f"s3://imports/{bucket}all/")
    await room.work()
    with pytest.raises(NotFound) as empty:
        await asked(room, f"s3://imports/{bucket}all/", spec={"format": "PARQUET"})

    job = await room.job(operation)
    error = status.to_error(job.error)
    assert (job.state, job.imported_count, job.processed_part_count) == (Job.FAILED, 3, 1)
    assert (error.reason, error.metadata["file"]) == ("COMPRESSION_INVALID", bad)
    assert empty.value.reason == "OBJECT_NOT_FOUND"
