"""Exported files of a person who is erased: every format loses the person's rows and no other."""

import asyncio
import csv
import gzip
import io
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from audience.persons.exported import Exported
from audience_exports import exported
from audience_room import SHOP, Room, values
from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.audience.v1.export_job_pb2 import ExportJob
from mesh.errors import Unavailable
from mesh.objects.opening import Objects
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.testkit.object_stores import S3Server
from pyarrow import parquet
from sqlalchemy import text

TRICKY = ("a,b", '"quoted"', "two\nlines", "two\r\nlines", "ann", "+14155550101", "Ünï\u2028")
SPECS = [
    {"format": form, "compression": compression}
    for form in ("JSON_LINES", "CSV", "PARQUET")
    for compression in ("PLAIN", "GZIP", "ZSTD")
]


async def fill(room: Room) -> None:
    """Ann with two endpoints, one of them nobody's now, and others who look like her."""
    ann = {"user_id": "ann", "attributes": values(said=TRICKY)}
    await room.write("e1", channel_type="SMS", address="+14155550101", user=ann)
    await room.write("e2", channel_type="EMAIL", address="ann@example.com", user=ann)
    await room.write("e10", channel_type="EMAIL", address="ben@example.com", user={"user_id": "b"})
    for number, said in enumerate(TRICKY):
        await room.write(
            f"f{number}",
            channel_type="EMAIL",
            address=f"ann{number}@example.com",
            attributes=values(said=[said]),
        )


def rows(path: Path) -> list[Any]:
    """Whatever a file holds, a row each."""
    if path.suffix == ".parquet":
        return list(parquet.read_table(path).to_pylist())
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        data = pyarrow.CompressedInputStream(pyarrow.BufferReader(data), "zstd").read()
    if ".csv" in path.name:
        return list(csv.reader(io.StringIO(data.decode(), newline="")))
    return data.splitlines(keepends=True)


def of_ann(row: Any) -> bool:
    """Whether a row of any of them is hers."""
    words = row.values() if isinstance(row, dict) else row if isinstance(row, list) else [row]
    ids = ("e1", "e2")
    return any(
        word in ids
        or (isinstance(word, bytes) and word[7:9] in (b"e1", b"e2") and word[9:10] == b'"')
        for word in words
        if not isinstance(word, list)
    )


def order(**fields: Any) -> OrderRow:
    event = UserErased(
        application="shop",
        user_id="ann",
        endpoints=[f"{SHOP}/endpoints/e1"],
        addresses=["+14155550101"],
    )
    now = datetime.now(UTC)
    return OrderRow(
        application="shop",
        operation=f"{SHOP}/operations/o1",
        subject=event.SerializeToString(),
        order_time=now,
        hear_time=now,
        **fields,
    )


async def take(room: Room, given: OrderRow) -> None:
    """The order, as it is once it was taken."""
    async with room.sessions.begin() as session:
        now = given.order_time
        await orders.take(session, "shop", given.operation, given.subject, now, now)


async def counted(room: Room) -> dict[str, int]:
    async with room.sessions() as session:
        found = await (await session.connection()).execute(
            text("SELECT erased_rows FROM erasure_orders")
        )
        return dict(found.scalar_one())


async def test_every_format_loses_the_person_and_nobody_else(room: Room) -> None:
    await fill(room)
    before = {}
    for number, spec in enumerate(SPECS):
        job = await exported(room, path=f"all{number}", spec=spec)
        path = room.export_folder / "shop" / f"all{number}" / job.files[0]
        before[path] = (await asyncio.to_thread(rows, path), path.stat().st_mode)
    given = order()
    await take(room, given)
    exports = Exported(room.sessions, str(room.export_folder))

    found = await exports.erase(given)
    again = await exports.erase(given)

    assert (found, again, len(before)) == (2 * len(SPECS), 0, 9)
    assert await counted(room) == {"exported rows": found}
    for path, (were, mode) in before.items():
        assert sum(map(of_ann, were)) == 2
        assert await asyncio.to_thread(rows, path) == [row for row in were if not of_ann(row)]
        assert path.stat().st_mode == mode
    assert await exports.keeping(given) == []


async def test_what_cannot_be_rewritten_is_named_and_what_was_left_behind_goes(
    room: Room, tmp_path: Path
) -> None:
    await fill(room)
    job = await exported(room, path="all")
    folder = room.export_folder / "shop" / "all"
    (folder / "part-00001.jsonl.gz").write_bytes(b"no gzip")
    left = folder / "part-00002.csv.records"
    left.write_bytes(b"+14155550101")
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    os.utime(left, (hour_ago, hour_ago))
    elsewhere = tmp_path / "elsewhere.jsonl"
    elsewhere.write_bytes(b'{"Id":"e1"}\n')
    (folder / "link.jsonl").symlink_to(elsewhere)
    given = order()
    await take(room, given)
    exports = Exported(room.sessions, str(room.export_folder))

    assert await exports.erase(given) == 2

    (kept,) = await exports.keeping(given)
    assert (kept.what.endswith("part-00001.jsonl.gz"), job.files) == (True, ["part-00000.jsonl"])
    assert not left.exists()
    assert elsewhere.read_bytes() == b'{"Id":"e1"}\n', "a link leads out of the folder"
    assert sorted(path.name for path in folder.iterdir()) == [
        "link.jsonl",
        "part-00000.jsonl",
        "part-00001.jsonl.gz",
    ]


async def test_a_job_that_has_read_the_person_is_waited_for(room: Room) -> None:
    await fill(room)
    await exported(room, path="all")
    exports = Exported(room.sessions, str(room.export_folder))

    async def change(state: int) -> None:
        async with room.sessions.begin() as session:
            change = text("UPDATE export_job SET state = :state")
            await (await session.connection()).execute(change, {"state": state})

    await change(ExportJob.RUNNING)
    given = order()
    await take(room, given)
    with pytest.raises(Unavailable) as refusal:
        await exports.erase(given)
    assert refusal.value.reason == "EXPORT_UNDER_WAY"

    await change(ExportJob.SUCCEEDED)
    assert await exports.erase(given) == 2


@pytest.mark.xdist_group("object_store")
async def test_objects_that_jobs_have_written_lose_the_person_too(
    room: Room, s3_server: S3Server, database_url: str, reading: Any
) -> None:
    below = f"s3://exports/{uuid.uuid4().hex}/"
    room.object_stores = (s3_server.place("export", f"{below}{{application}}/"),)
    await room.serve()
    room.exporter = room.another_exporter(database_url, reading)
    await fill(room)
    job = await exported(room, uri=f"{below}shop/all", spec={"compression": "GZIP"})
    gone = await exported(room, uri=f"{below}shop/gone")
    closed = await exported(room, uri=f"{below}shop/closed")
    objects = Objects(room.object_stores)
    store, uri = objects.find("export", "shop", f"{below}shop/all/{job.files[0]}")
    await store.delete([uri.key.replace("/all/", "/gone/").replace(job.files[0], gone.files[0])])
    async with room.sessions.begin() as session:
        await (await session.connection()).execute(
            text("UPDATE export_job SET path = 's3://elsewhere/' WHERE export_job = :job"),
            {"job": closed.name.rpartition("/")[2]},
        )
    given = order()
    await take(room, given)
    exports = Exported(room.sessions, "", objects)

    found = await exports.erase(given), await exports.erase(given)

    left = await store.head(uri.key)
    lines = gzip.decompress(await store.read(left, 0, left.size_bytes)).splitlines()
    assert (found, len(lines)) == ((2, 0), 1 + len(TRICKY))
    assert not [line for line in lines if of_ann(line)]
    assert [one.what for one in await exports.keeping(given)] == [
        f"export s3://elsewhere/{closed.files[0]}",
        f"exports below {below}shop/",
    ]
