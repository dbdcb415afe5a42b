"""Opt-out lists out to an object store and in again, over S3."""

import gzip
import uuid
from collections.abc import AsyncIterator
from typing import Any

import obstore
import pytest
import pytest_asyncio
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import FailedPrecondition
from mesh.objects.opening import Objects
from mesh.testkit.object_stores import HURRIED, READER, S3Server
from mesh.testkit.rpc import RpcClient
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession
from twoway.exports.erasing import ExportedLists
from twoway.exports.exporting import Exporter
from twoway.places import Places
from twoway_files import (
    DEFAULT,
    OTHER,
    SEVERAL,
    begin_export,
    begin_import,
    comes_back,
    exported,
    imported,
    listed,
    numbers,
    ordered,
    told,
)
from twoway_room import SHOP, Room

pytestmark = pytest.mark.xdist_group("object_store")
Request = pb.ExportOptedOutNumbersRequest


@pytest.fixture
def folder() -> str:
    """Where this test keeps its objects, in each bucket."""
    return f"{uuid.uuid4().hex}/"


@pytest_asyncio.fixture(loop_scope="session")
async def room(
    database_url: str,
    sessions: async_sessionmaker[AsyncSession],
    asking: Any,
    rpc_client: RpcClient,
    s3_server: S3Server,
    folder: str,
) -> AsyncIterator[Room]:
    """The whole room, with one bucket to write to and read from, and one to read from alone."""
    written = f"s3://exports/{folder}{{application}}/"
    brought = f"s3://imports/{folder}{{application}}/"
    objects = Objects(
        (
            s3_server.place("export", written),
            s3_server.place("import", written),
            s3_server.place("import", brought, options=READER),
        ),
        HURRIED,
    )
    places = Places(objects)
    async with Room(database_url, sessions, asking, rpc_client, places) as opened:
        create = pb.CreateOptOutListRequest(parent=SHOP, opt_out_list_id="other")
        await opened.consent.CreateOptOutList(create)
        yield opened


@pytest.fixture
def exporter(room: Room, database_url: str, asking: Any) -> Exporter:
    """One that reads a hundred numbers at once."""
    return Exporter(
        *(database_url, room.sessions, asking, room.places.objects, room.wakeups), page_numbers=100
    )


@pytest.mark.parametrize(
    ("form", "compression"), [(Request.CSV, Request.PLAIN), (Request.JSON_LINES, Request.GZIP)]
)
async def test_what_an_object_store_is_given_it_gives_back(
    room: Room, exporter: Exporter, s3_server: S3Server, folder: str, form: Any, compression: Any
) -> None:
    await imported(room, content=SEVERAL)
    uri = f"s3://exports/{folder}shop/all/"

    done = await exported(room, exporter, uri=uri, format=form, compression=compression)

    (written,) = done.uris
    assert written.startswith(uri)
    ((name, data),) = (await s3_server.read("exports", f"{folder}shop/all/")).items()
    assert written == uri + name
    assert data.startswith(b"\x1f\x8b") == (compression == Request.GZIP)
    again = await imported(room, OTHER, uri=written)
    assert (again.read_count, again.opted_out_count, again.refused_count) == (3, 3, 0)
    assert await listed(room, OTHER) == await listed(room, DEFAULT)


async def test_a_list_of_several_objects_comes_back_whole(
    room: Room, exporter: Exporter, s3_server: S3Server, folder: str
) -> None:
    await imported(room, content=numbers(1_234))
    uri = f"s3://exports/{folder}shop/all/"

    done = await exported(room, exporter, uri=uri, numbers_per_file=500)

    stored = await s3_server.read("exports", f"{folder}shop/all/")
    assert [uri + name for name in stored] == list(done.uris)
    assert [data.count(b"\n") - 1 for data in stored.values()] == [500, 500, 234]
    came = [(await imported(room, OTHER, uri=one)).opted_out_count for one in done.uris]
    assert came == [500, 500, 234]
    with pytest.raises(FailedPrecondition) as refused:
        await begin_export(room, uri)
    assert refused.value.reason == "EXPORT_FOLDER_NOT_EMPTY"


async def test_an_object_of_another_platform_is_read_by_keys_that_can_only_read(
    room: Room, s3_server: S3Server, folder: str
) -> None:
    data = gzip.compress(numbers(300) + b"\nnobody\n")
    uri = await s3_server.put("imports", f"{folder}shop/former/list ü.csv.gz", data)

    response = await imported(room, uri=uri)

    assert (response.opted_out_count, response.refused_count) == (300, 1)
    assert [(one.line, one.reason) for one in response.refusals] == [(302, "PHONE_NUMBER_INVALID")]


async def test_an_object_that_is_another_by_now_is_not_read(
    room: Room, s3_server: S3Server, folder: str
) -> None:
    key = f"{folder}shop/list.csv"
    begun = await begin_import(room, uri=await s3_server.put("imports", key, numbers(3)))
    await s3_server.put("imports", key, numbers(4))

    await room.importer.step()

    assert "OBJECT_CHANGED" in str((await told(room, begun)).error.details)
    assert await listed(room, DEFAULT) == []


async def test_a_bucket_that_may_not_be_written_to_ends_its_export_and_says_why(
    room: Room, s3_server: S3Server, folder: str, database_url: str, asking: Any
) -> None:
    await imported(room, content=SEVERAL)
    begun = await begin_export(room, f"s3://exports/{folder}shop/all/")
    prefix = f"s3://exports/{folder}{{application}}/"
    closed = Objects((s3_server.place("export", prefix, options=READER),), HURRIED)

    await Exporter(database_url, room.sessions, asking, closed, room.wakeups).step()

    assert "OBJECT_STORE_DENIED" in str((await told(room, begun)).error.details)
    assert await s3_server.read("exports", f"{folder}shop/") == {}


async def test_objects_lose_who_is_erased_and_on_no_list_any_more(
    room: Room, exporter: Exporter, s3_server: S3Server, folder: str
) -> None:
    await imported(room, content=SEVERAL)
    below = f"s3://exports/{folder}shop/"
    for name, compression in (("plain", Request.PLAIN), ("packed", Request.GZIP)):
        await exported(room, exporter, uri=f"{below}{name}", compression=compression)
    await exported(room, exporter, uri=f"{below}gone")
    (gone,) = await s3_server.read("exports", f"{folder}shop/gone/")
    await obstore.delete_async(s3_server.bucket("exports"), f"{folder}shop/gone/{gone}")
    await comes_back(room, "+12065550191")
    order = await ordered(room, "+12065550191", "+12065550192")
    exports = ExportedLists(room.sessions, "", room.places.objects)

    found = [await exports.erase(order), await exports.erase(order)]

    left = await s3_server.read("exports", f"{folder}shop/")
    files = [gzip.decompress(data) if ".gz" in key else data for key, data in left.items()]
    assert (found, len(files)) == ([2, 0], 2)
    for data in files:
        numbers_left = [line.split(b",")[0] for line in data.splitlines()[1:]]
        assert numbers_left == [b"+12065550192", b"12345"]
    kept = [(one.what, one.rows) for one in await exports.keeping(order)]
    assert kept == [("exported opt-out lists", 2), (f"exports below {below}", 0)]
