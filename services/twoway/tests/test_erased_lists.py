"""Exported lists of an erased person: who is on no list any more is in no file either."""

import gzip
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import Unavailable
from mesh.testkit.rpc import RpcClient
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession
from twoway.exports.erasing import ExportedLists
from twoway.exports.exporting import Exporter
from twoway_files import (
    OTHER,
    begin_export,
    comes_back,
    exported,
    imported,
    listed,
    ordered,
    room_with_folder,
)
from twoway_room import Room

ANN, BEN, OTHERS = "+12065550191", "+12065550192", ("+120655501911", "+12065550193")
LIST = "\n".join(["phone_number", ANN, BEN, *OTHERS]).encode()
Request = pb.ExportOptedOutNumbersRequest
FORMS = [(form, packed) for form in (1, 2) for packed in (Request.PLAIN, Request.GZIP)]


@pytest_asyncio.fixture(loop_scope="session")
async def room(
    database_url: str,
    sessions: async_sessionmaker[AsyncSession],
    asking: Any,
    rpc_client: RpcClient,
    tmp_path: Path,
) -> AsyncIterator[Room]:
    """A room with a folder for both ways, and four numbers on its list."""
    arguments = (database_url, sessions, asking, rpc_client, tmp_path)
    async with room_with_folder(*arguments) as opened:
        await imported(opened, content=LIST)
        yield opened


@pytest.fixture
def exporter(room: Room, database_url: str, asking: Any) -> Exporter:
    return Exporter(database_url, room.sessions, asking, room.places.objects, room.wakeups)


def lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines(keepends=True)


async def test_who_is_on_no_list_any_more_goes_from_every_file_and_nobody_else(
    room: Room, exporter: Exporter, tmp_path: Path
) -> None:
    before = {}
    for number, (form, packed) in enumerate(FORMS):
        done = await exported(
            room, exporter, uri=f"file:all{number}", format=form, compression=packed
        )
        path = tmp_path / "shop" / done.uris[0].removeprefix("file:")
        before[path] = lines(path)
    await comes_back(room, ANN)
    order = await ordered(room, ANN, BEN, "ann@example.com")
    exports = ExportedLists(room.sessions, str(tmp_path))

    found = [await exports.erase(order), await exports.erase(order)]

    assert found == [len(FORMS), 0]
    for path, were in before.items():
        of_ann = [line for line in were if ANN.encode() in line and OTHERS[0].encode() not in line]
        assert len(of_ann) == 1
        assert lines(path) == [line for line in were if line not in of_ann]
    (kept,) = await exports.keeping(order)
    assert (kept.what, kept.rows) == ("exported opt-out lists", len(FORMS))
    assert "STOP" in kept.why
    again = await imported(room, OTHER, uri=f"file:all0/{next(iter(before)).name}")
    assert (again.opted_out_count, again.refused_count) == (3, 0)
    assert [fact[0] for fact in await listed(room, OTHER)] == sorted([BEN, *OTHERS])


async def test_what_cannot_be_rewritten_is_named_and_what_was_left_behind_goes(
    room: Room, exporter: Exporter, tmp_path: Path
) -> None:
    await exported(room, exporter)
    await comes_back(room, ANN)
    folder = tmp_path / "shop" / "out"
    (folder / "opted-out-00001.csv.gz").write_bytes(b"no gzip")
    (folder / "opted-out-00002.csv.gz").write_bytes(gzip.compress(LIST)[:-9])
    (folder / "part-00000.csv").write_bytes(LIST)  # not one of this room's
    left = folder / "opted-out-00003.csv.gz.partial"
    left.write_bytes(LIST)
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    os.utime(left, (hour_ago, hour_ago))
    order = await ordered(room, ANN)
    exports = ExportedLists(room.sessions, str(tmp_path))

    assert await exports.erase(order) == 1

    kept = [one.what.rpartition("/")[2] for one in await exports.keeping(order)]
    assert kept == ["opted-out-00001.csv.gz", "opted-out-00002.csv.gz"]
    assert not left.exists()
    assert (folder / "part-00000.csv").read_bytes() == LIST
    assert not list(folder.glob("*.erasing"))


async def test_an_export_that_has_read_the_person_is_waited_for(
    room: Room, exporter: Exporter, tmp_path: Path
) -> None:
    await begin_export(room)
    await comes_back(room, ANN)
    order = await ordered(room, ANN)
    exports = ExportedLists(room.sessions, str(tmp_path))
    with pytest.raises(Unavailable) as refused:
        await exports.erase(order)
    assert refused.value.reason == "EXPORT_UNDER_WAY"
    assert await exports.erase(await ordered(room, "ann@example.com")) == 0, "who has no number"

    await exporter.step()

    assert await exports.erase(order) == 0, "it was read after she had come back"
