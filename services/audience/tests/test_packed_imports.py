"""Compressed files and Parquet: read as they are, refused precisely, gone on with after a death."""

import asyncio
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from audience.transfers.limits import Limits
from audience_files import AWKWARD_FAILURES, PINPOINT_EXPORT, awkward, people
from audience_room import SHOP, Room
from heliograph.audience.v1 import endpoint_pb2, import_job_pb2
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.rpc import status
from mesh.testkit import eventually
from pyarrow import parquet

Job = import_job_pb2.ImportJob


def packed(data: bytes, kind: str) -> bytes:
    return (
        gzip.compress(data, mtime=0)
        if kind == "gzip"
        else pa.compress(data, codec=kind, asbytes=True)
    )


def noise(count: int) -> bytes:
    """A file that packs badly, so that a part of it is not all of it."""
    chance = random.Random(5)
    rows = (f"SMS,+1415{5_000_000 + index},e{index},{chance.random()}\n" for index in range(count))
    return ("ChannelType,Address,Id,Attributes.noise\n" + "".join(rows)).encode()


def table(rows: list[dict[str, Any]], **options: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), out, **options)
    return out.getvalue()


def parquet_people(count: int) -> list[dict[str, Any]]:
    return [
        {"ChannelType": "SMS", "Address": f"+1415{5_000_000 + index}", "Id": f"e{index}"}
        for index in range(count)
    ]


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
async def test_a_packed_file_gives_the_rows_and_refusals_of_the_plain_one(
    room: Room, kind: str
) -> None:
    data = packed(awkward(), kind)
    job = await room.imported(data, file_name="people.csv.gz", size=100)

    assert job.state == Job.SUCCEEDED
    assert await room.failures(job.name) == AWKWARD_FAILURES
    assert (job.imported_count, job.processed_bytes, job.total_bytes) == (5, len(data), len(data))
    assert job.compression == {"gzip": import_job_pb2.GZIP, "zstd": import_job_pb2.ZSTD}[kind]
    assert (job.format, job.format_evidence) == (import_job_pb2.CSV, Job.FILE_NAME)


async def test_pinpoints_own_gzip_export_loads_unchanged(room: Room) -> None:
    lines = "".join(json.dumps(one) + "\n" for one in PINPOINT_EXPORT)
    job = await room.imported(packed(lines.encode(), "gzip"), file_name="endpoints-0.gz")

    ann, phone = await room.read("0dd7c9b9"), await room.read("7a1")
    assert (job.imported_count, job.failed_count) == (2, 0)
    assert (job.format, job.format_evidence) == (import_job_pb2.JSON_LINES, Job.CONTENT)
    assert (ann.location.country, ann.metrics["age"]) == ("DE", 31.0)
    assert list(ann.attributes["interest"].values) == ["golf", "chess"]
    assert (phone.status, phone.opt_out) == (endpoint_pb2.Endpoint.INACTIVE, 2)


async def test_a_packed_file_of_the_open_folder_is_read(room: Room) -> None:
    folder = room.import_folder / "shop"
    await asyncio.to_thread(_put, folder / "people.csv.zst", packed(people(3), "zstd"))
    operation = await room.transfers.ImportEndpoints(
        pb.ImportEndpointsRequest(parent=SHOP, path="people.csv.zst", spec={"compression": "ZSTD"})
    )
    await room.work()

    assert (await room.job(operation)).imported_count == 3


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
async def test_a_truncated_file_fails_and_what_was_committed_stays(room: Room, kind: str) -> None:
    room.limit(chunk_lines=50, unpacked_block_bytes=10_000)
    data = packed(noise(5000), kind)
    job = await room.imported(data[: len(data) * 2 // 3], size=50_000)

    error = status.to_error(job.error)
    assert (job.state, error.reason) == (Job.FAILED, "COMPRESSION_INVALID")
    assert "cut off" in error.message
    assert 1000 < job.imported_count < 5000
    assert not await room.worker.step()


async def test_a_damaged_file_is_told_from_a_truncated_one(room: Room) -> None:
    data = bytearray(packed(noise(500), "gzip"))
    data[-6] ^= 1
    job = await room.imported(bytes(data))

    assert "damaged" in status.to_error(job.error).message


async def test_a_bomb_is_given_up_by_its_ratio_and_by_its_size(room: Room) -> None:
    bomb = packed(b"{}\n" + (b" " * 1000 + b"\n") * 6_000, "zstd")
    jobs = []
    for limits in ({"unpacked_bytes_free": 1_000_000}, {"unpacked_bytes_max": 5_000_000}):
        room.limits = Limits(1_000_000_000)
        room.limit(**limits)
        jobs.append(await room.imported(bomb))

    for job in jobs:
        assert (job.state, job.imported_count) == (Job.FAILED, 0)
        assert status.to_error(job.error).reason == "UNPACKED_TOO_LARGE"
    assert len(bomb) < 10_000


@pytest.mark.parametrize(
    ("data", "spec", "reason"),
    [
        (people(3), {"compression": "GZIP"}, "COMPRESSION_INVALID"),
        (packed(people(3), "gzip"), {"compression": "ZSTD"}, "COMPRESSION_INVALID"),
        (packed(people(3), "gzip"), {"compression": "PLAIN"}, "IMPORT_FORMAT_UNSUPPORTED"),
        (packed(packed(people(3), "gzip"), "zstd"), {}, "IMPORT_FORMAT_UNSUPPORTED"),
        (packed(table(parquet_people(3)), "gzip"), {}, "IMPORT_FORMAT_UNSUPPORTED"),
        (people(3), {"format": "PARQUET"}, "IMPORT_FORMAT_UNSUPPORTED"),
        (table(parquet_people(3)), {"format": "CSV"}, "IMPORT_FORMAT_UNSUPPORTED"),
        (packed("Id,Address\n".encode("utf-16-le"), "gzip"), {}, "IMPORT_FORMAT_UNSUPPORTED"),
        (packed(b"", "gzip"), {}, "HEADER_INVALID"),
        (table([{"Name": "Ann"}]), {}, "HEADER_INVALID"),
        (table([{"Metrics.age": 5.0}]), {}, "HEADER_INVALID"),
        (table([{"Id": "e", "Location": {"City": "Oslo"}}]), {}, "HEADER_INVALID"),
        (table([{"Id": ["e"], "Address": "a"}]), {}, "HEADER_INVALID"),
        (table(parquet_people(300))[:-100], {}, "PARQUET_INVALID"),
        (b"PAR1", {}, "PARQUET_INVALID"),
    ],
)
async def test_a_file_that_is_not_what_it_should_be_fails_with_a_reason(
    room: Room, data: bytes, spec: dict[str, Any], reason: str
) -> None:
    job = await room.imported(data, spec=spec)

    assert (job.state, status.to_error(job.error).reason) == (Job.FAILED, reason)
    assert job.HasField("end_time")


async def test_a_parquet_file_is_imported_by_its_columns_and_types(room: Room) -> None:
    rows = [
        {
            "channeltype": "EMAIL",
            "Address": "ann@example.com",
            "Id": "ann",
            "Attributes.interest": ["golf", "chess"],
            "Attributes.visits": 12.0,
            "Metrics.age": 31,
            "Location.Latitude": 52.52,
            "Location.Longitude": 13.4,
            "User.UserId": "u1",
            "User.UserAttributes.member": True,
        },
        {"channeltype": "SMS", "Address": "+14155550100", "Id": "bob", "Attributes.interest": []},
        {"channeltype": "FAX", "Address": "5", "Id": "fax"},
        {"channeltype": "SMS", "Address": "+14155550101", "Id": "many"}
        | {"Attributes.interest": [str(number) for number in range(60)]},
    ]
    job = await room.imported(table(rows), file_name="people")

    ann = await room.read("ann")
    assert (job.format, job.format_evidence) == (import_job_pb2.PARQUET, Job.CONTENT)
    assert (job.imported_count, job.processed_lines) == (2, 4)
    assert list(ann.attributes["interest"].values) == ["golf", "chess"]
    assert list(ann.attributes["visits"].values) == ["12"]
    assert (ann.metrics["age"], ann.location.latitude) == (31.0, 52.5)
    assert list(ann.user.attributes["member"].values) == ["true"]
    assert not (await room.read("bob")).attributes
    assert await room.failures(job.name) == [
        (3, "ChannelType", "CHANNEL_TYPE_INVALID"),
        (4, "Attributes.interest", "ATTRIBUTE_VALUES_TOO_MANY"),
    ]


async def test_a_text_that_is_not_utf_8_costs_its_row_alone(room: Room) -> None:
    columns = {"ChannelType": ["SMS", "SMS"], "Address": ["+14155550100", "+14155550101"]}
    wrong = pa.array([b"ok", b"\xff"]).view(pa.string())
    out = io.BytesIO()
    parquet.write_table(pa.table({**columns, "Attributes.name": wrong}), out)
    job = await room.imported(out.getvalue())

    assert job.imported_count == 1
    assert await room.failures(job.name) == [(2, "", "ENCODING_INVALID")]


async def test_categories_are_read_as_what_they_stand_for(room: Room) -> None:
    columns = {
        "Id": ["a", "b", "c"],
        "ChannelType": pa.array(["SMS", "SMS", "SMS"]).dictionary_encode(),
        "Address": ["+14155550100", "+14155550101", "+14155550102"],
        "Attributes.visits": pa.array([7, None, 7]).dictionary_encode(),
    }
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    job = await room.imported(out.getvalue())

    assert job.imported_count == 3
    assert list((await room.read("c")).attributes["visits"].values) == ["7"]
    assert not (await room.read("b")).attributes


@pytest.mark.parametrize("kind", ["gzip", "zstd", "parquet"])
async def test_a_killed_job_goes_on_from_its_last_committed_row(
    room: Room, database_url: str, kind: str
) -> None:
    room.limit(chunk_lines=50)
    is_parquet = kind == "parquet"
    rows = table(parquet_people(2000), row_group_size=300) if is_parquet else b""
    operation = await room.upload(rows or packed(people(2000), kind))
    first = asyncio.create_task(room.worker.step())

    async def has_moved() -> bool:
        return (await room.job(operation)).imported_count > 0

    await eventually(has_moved)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    before = await room.job(operation)
    await room.another_worker(database_url).step()

    job = await room.job(operation)
    assert (0 < before.imported_count < 2000, before.state) == (True, Job.RUNNING)
    assert (job.state, job.imported_count, job.created_count) == (Job.SUCCEEDED, 2000, 2000)
    assert job.processed_bytes == job.total_bytes


async def test_a_value_that_is_written_once_and_meant_often_fills_no_memory(room: Room) -> None:
    huge = "x" * 30_000_000
    ids = [f"e{index}" for index in range(3000)]
    for is_list in (False, True):
        out = io.BytesIO()
        parquet.write_table(
            pa.table({"Id": ids, "Attributes.a": _repeated(huge, 3000, is_list)}),
            out,
            compression="zstd",
            dictionary_pagesize_limit=64_000_000,
        )
        job = await room.imported(out.getvalue(), size=100_000)

        assert len(out.getvalue()) < 200_000
        assert status.to_error(job.error).reason == "ROW_TOO_LONG"


def _repeated(text: str, count: int, is_list: bool) -> Any:
    once = pa.DictionaryArray.from_arrays(pa.array([0] * count, "int32"), pa.array([text]))
    if not is_list:
        return once
    return pa.ListArray.from_arrays(pa.array(range(count + 1), "int32"), once)
