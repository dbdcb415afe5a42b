"""Exports: the files that jobs write, what becomes of them when read again, and streams."""

import asyncio
import gzip
import json
import random
from typing import Any

import pytest
from audience_exports import Job, exported, read, told
from audience_files import people
from audience_room import SHOP, Room, values
from heliograph.audience.v1 import transfer_service_pb2 as pb
from mesh.store import pool

FIRST_HUNDRED = {"metric": {"name": "age", "comparison": "LESS_THAN", "value": 10}}
ROWS = (
    "SELECT endpoint, channel_type, address, attributes::text, metrics::text, demographic::text,"
    " location::text, user_id, opt_out, status, refused_topics::text,"
    " (SELECT u.attributes::text FROM user_profile u"
    "  WHERE u.application = e.application AND u.user_id = e.user_id)"
    " FROM endpoint e WHERE application = $1 ORDER BY endpoint"
)
TEXTS = ("golf", "a,b", '"quoted"', "two\nlines", "two\r\nlines", "\r", " x ", "Ünï", "\u2028", "0")


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


async def test_a_stream_gives_pages_and_goes_on_where_it_was_left(room: Room) -> None:
    await room.imported(people(2100))
    segment = await room.create_segment(FIRST_HUNDRED, "young")
    everybody = [page async for page in _stream(room)]
    rest = [page async for page in _stream(room, after=everybody[0].last)]
    young = [page async for page in _stream(room, segment=segment.name)]

    assert [len(page.endpoints) for page in everybody] == [1000, 1000, 100]
    assert rest == everybody[1:]
    assert sum(len(page.endpoints) for page in young) == 240


def _stream(room: Room, **request: Any) -> Any:
    return room.transfers.StreamExport(pb.StreamExportRequest(parent=SHOP, **request))
