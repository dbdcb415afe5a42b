"""Lists taken out to files and streams, and what that gives when it is taken in again."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.longrunning import operations_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import FailedPrecondition, NotFound, PermissionDenied, Unavailable
from mesh.testkit import eventually
from mesh.testkit.rpc import RpcClient
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession
from twoway.exports import jobs
from twoway.exports.exporting import Exporter
from twoway.imports.importing import Importer
from twoway.imports.reading import Line
from twoway_files import (
    DEFAULT,
    OTHER,
    SEVERAL,
    begin_export,
    begin_import,
    exported,
    facts,
    imported,
    listed,
    numbers,
    room_with_folder,
    told,
)
from twoway_room import SHOP, Room

Request = pb.ExportOptedOutNumbersRequest


@pytest_asyncio.fixture(loop_scope="session")
async def room(
    database_url: str,
    sessions: async_sessionmaker[AsyncSession],
    asking: Any,
    rpc_client: RpcClient,
    tmp_path: Path,
) -> AsyncIterator[Room]:
    """The whole room, with one folder open for both ways, and two lists."""
    arguments = (database_url, sessions, asking, rpc_client, tmp_path)
    async with room_with_folder(*arguments) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the application."""
    made = tmp_path / "shop"
    made.mkdir()
    return made


@pytest.fixture
def exporter(room: Room, database_url: str, asking: Any) -> Exporter:
    """One that reads a hundred numbers at once."""
    return Exporter(
        *(database_url, room.sessions, asking, room.places.objects, room.wakeups), page_numbers=100
    )


@pytest.mark.parametrize("form", [Request.CSV, Request.JSON_LINES])
@pytest.mark.parametrize("compression", [Request.PLAIN, Request.GZIP])
async def test_a_list_that_is_taken_out_and_in_again_is_the_same(
    room: Room, exporter: Exporter, form: Any, compression: Any
) -> None:
    await imported(room, content=SEVERAL)

    done = await exported(room, exporter, format=form, compression=compression)

    (uri,) = done.uris
    assert uri.startswith("file:out/opted-out-00000.")
    assert done.written_count == 3
    again = await imported(room, OTHER, uri=uri)
    assert (again.read_count, again.opted_out_count, again.refused_count) == (3, 3, 0)
    assert await listed(room, OTHER) == await listed(room, DEFAULT)


async def test_no_words_are_in_a_file(room: Room, exporter: Exporter, folder: Path) -> None:
    put = pb.PutOptedOutNumberRequest(
        parent=DEFAULT, phone_number="+12065550191", comment="called in anger"
    )
    await room.consent.PutOptedOutNumber(put)

    await exported(room, exporter)

    (file,) = (folder / "out").iterdir()
    header, line = file.read_text().splitlines()
    assert header == "phone_number,opt_out_time,end_user_opted_out"
    assert (line.split(",")[0], line.split(",")[2]) == ("+12065550191", "false")
    assert "anger" not in line


async def test_a_list_goes_into_files_of_a_size_and_a_stream(
    room: Room, exporter: Exporter, folder: Path
) -> None:
    await imported(room, content=numbers(1_234))

    done = await exported(room, exporter, numbers_per_file=500, compression=Request.GZIP)

    files = sorted((folder / "out").iterdir())
    rows = [gzip.decompress(file.read_bytes()).split()[1:] for file in files]
    assert [file.name for file in files] == [uri.rpartition("/")[2] for uri in done.uris]
    assert [len(one) for one in rows] == [500, 500, 234]
    request = pb.StreamOptedOutNumbersRequest(parent=DEFAULT, after="+12060000034")
    pages = [page async for page in room.consent.StreamOptedOutNumbers(request)]
    streamed = [facts(one)[0] for page in pages for one in page.opted_out_numbers]
    assert streamed == [line.decode().split(",")[0] for part in rows for line in part][34:]
    assert [page.last for page in pages][-1] == "+12060001234"


async def test_an_export_that_died_goes_on_after_its_last_whole_file(
    room: Room, exporter: Exporter, folder: Path, database_url: str, asking: Any
) -> None:
    await imported(room, content=numbers(1_000))
    begun = await begin_export(room, numbers_per_file=300)
    out = folder / "out"
    # It asks so often that it cannot be done before it is called off.
    objects, wakeups = room.places.objects, room.wakeups
    dying = Exporter(database_url, room.sessions, asking, objects, wakeups, page_numbers=20)
    first = asyncio.create_task(dying.step())

    async def is_written() -> bool:
        return (out / "opted-out-00000.csv").exists()

    await eventually(is_written)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert not (await told(room, begun)).done
    assert not list(out.glob("*.partial"))

    await exporter.step()

    response, progress = pb.ExportOptedOutNumbersResponse(), pb.ExportOptedOutNumbersMetadata()
    ended = await told(room, begun)
    ended.response.Unpack(response)
    ended.metadata.Unpack(progress)
    assert (response.written_count, progress.total_count) == (1_000, 1_000)
    assert list(progress.uris) == list(response.uris)
    lines = [line for file in sorted(out.iterdir()) for line in file.read_text().split()]
    assert len(response.uris) == len(list(out.iterdir())) == 4
    assert len([line for line in lines if line.startswith("+")]) == len(set(lines)) - 1 == 1_000


async def test_one_export_has_one_worker(
    room: Room, exporter: Exporter, database_url: str, asking: Any
) -> None:
    await imported(room, content=numbers(500))
    begun = await begin_export(room, numbers_per_file=100)
    other = Exporter(database_url, room.sessions, asking, room.places.objects, room.wakeups)

    assert any(await asyncio.gather(exporter.step(), other.step()))

    response = pb.ExportOptedOutNumbersResponse()
    (await told(room, begun)).response.Unpack(response)
    assert (response.written_count, len(response.uris)) == (500, 5)


async def test_an_export_that_is_stopped_ends(room: Room, exporter: Exporter) -> None:
    await imported(room, content=SEVERAL)
    begun = await begin_export(room)
    await room.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=begun.name))

    await exporter.step()

    assert "stopped" in (await told(room, begun)).error.message


async def test_an_export_of_a_list_that_goes_ends(room: Room, exporter: Exporter) -> None:
    begun = await begin_export(room, parent=OTHER)
    await room.consent.DeleteOptOutList(pb.DeleteOptOutListRequest(name=OTHER))

    await exporter.step()

    assert "does not exist" in (await told(room, begun)).error.message


async def test_what_fails_again_and_again_is_given_up(room: Room, exporter: Exporter) -> None:
    begun = await begin_export(room)
    async with room.sessions.begin() as session:
        row = await jobs.get(session, ("shop", begun.name.rpartition("/")[2]))
        assert row is not None
        row.attempts = jobs.ATTEMPTS_MAX

    await exporter.step()

    assert "EXPORT_ABANDONED" in str((await told(room, begun)).error.details)


async def test_a_folder_takes_one_export(room: Room, exporter: Exporter) -> None:
    await imported(room, content=SEVERAL)
    first = await begin_export(room, request_id="one")
    assert (await begin_export(room, request_id="one")).name == first.name
    for _ in range(2):  # while it is written, and after
        with pytest.raises(FailedPrecondition) as refused:
            await begin_export(room)
        assert refused.value.reason == "EXPORT_FOLDER_NOT_EMPTY"
        await exporter.step()


@pytest.mark.parametrize("uri", ["file:../other/out", "s3://bucket/out/", "file:/../../etc"])
async def test_what_is_not_open_is_refused_both_ways(room: Room, uri: str) -> None:
    with pytest.raises(PermissionDenied) as refused:
        await begin_export(room, uri)
    assert refused.value.reason == "EXPORT_PATH_NOT_ALLOWED"
    with pytest.raises(PermissionDenied) as refused:
        await begin_import(room, uri=uri)
    assert refused.value.reason == "IMPORT_PATH_NOT_ALLOWED"
    with pytest.raises(NotFound):
        await begin_export(room, parent=f"{SHOP}/optOutLists/nowhere")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(SEVERAL)[:-6], "COMPRESSION_INVALID"),
        (gzip.compress(SEVERAL)[:20] + b"x" * 50, "COMPRESSION_INVALID"),
        (gzip.compress(b"phone_number" + b" " * 2_000_000), "IMPORT_FORMAT_INVALID"),
        (b"a,b\n1,2\n", "IMPORT_FORMAT_INVALID"),
        (b"", "IMPORT_FORMAT_INVALID"),
    ],
    ids=["cut off", "damaged", "unpacks to too much", "other columns", "empty"],
)
async def test_a_file_that_is_no_list_ends_its_import_and_says_why(
    room: Room, folder: Path, content: bytes, reason: str
) -> None:
    (folder / "list").write_bytes(content)
    begun = await begin_import(room, uri="file:list")

    await room.importer.step()

    assert reason in str((await told(room, begun)).error.details)


async def test_a_file_that_is_another_by_now_is_not_read(room: Room, folder: Path) -> None:
    file = folder / "list.csv"
    file.write_bytes(SEVERAL)
    begun = await begin_import(room, uri="file:list.csv")
    file.write_bytes(SEVERAL[:-10])

    await room.importer.step()

    assert "IMPORT_FILE_CHANGED" in str((await told(room, begun)).error.details)


async def test_an_import_of_an_address_goes_on_where_it_died(room: Room, folder: Path) -> None:
    (folder / "list.csv.gz").write_bytes(gzip.compress(numbers(950)))
    begun = await begin_import(room, uri="file:list.csv.gz")
    places = room.places.objects
    dying = asyncio.create_task(Importer(room.sessions, room.wakeups, places, lines_max=10).step())

    async def read_count() -> int:
        progress = pb.ImportOptedOutNumbersMetadata()
        (await told(room, begun)).metadata.Unpack(progress)
        return progress.read_count

    await eventually(read_count)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert 0 < await read_count() < 950

    await Importer(room.sessions, room.wakeups, places, lines_max=100).step()

    response = pb.ImportOptedOutNumbersResponse()
    (await told(room, begun)).response.Unpack(response)
    assert (response.read_count, response.opted_out_count, response.present_count) == (950, 950, 0)


async def test_an_import_whose_store_is_away_is_tried_later_and_not_with_every_wake(
    room: Room,
) -> None:
    begun = await begin_import(room, content=SEVERAL)

    def away() -> Iterator[Line]:
        raise Unavailable("OBJECT_STORE_UNAVAILABLE", "nobody answers")
        yield

    with pytest.raises(Unavailable):
        await room.importer.chunk(("shop", begun.name.rpartition("/")[2]), 0, away())

    assert not (await told(room, begun)).done
    await room.importer.step()
    assert (await told(room, begun)).HasField("response")
