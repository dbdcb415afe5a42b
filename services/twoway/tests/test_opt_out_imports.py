"""Lists from other platforms, through the front door."""

import asyncio
from itertools import islice
from typing import Any

import pytest
from google.longrunning import operations_pb2
from heliograph.twoway.v1 import events_pb2, opt_out_list_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import InvalidArgument, NotFound
from twoway.imports import jobs, reading
from twoway.imports.importing import Importer
from twoway.imports.reading import Line
from twoway_room import SHOP, Room, announced

DEFAULT = f"{SHOP}/optOutLists/default"
ANN, BOB, CYD = "+12065550191", "+12065550192", "+12065550193"
CSV = f"""phone_number,opt_out_time,end_user_opted_out
{ANN},2024-05-01T10:00:00Z,true
hello,,
"+1 (206) 555-0192",,false

{ANN},,
12345,yesterday,
"""


def numbers(count: int) -> bytes:
    return "\n".join(["phone_number", *(f"+1206{n:07}" for n in range(1, count + 1))]).encode()


async def begin(room: Room, content: bytes, **fields: Any) -> operations_pb2.Operation:
    request = pb.ImportOptedOutNumbersRequest(
        parent=fields.pop("parent", DEFAULT), content=content, comment="from before", **fields
    )
    begun: operations_pb2.Operation = await room.consent.ImportOptedOutNumbers(request)
    return begun


async def ended(room: Room, begun: operations_pb2.Operation) -> operations_pb2.Operation:
    request = operations_pb2.GetOperationRequest(name=begun.name)
    operation: operations_pb2.Operation = await room.operations.GetOperation(request)
    assert operation.done
    return operation


async def import_(room: Room, content: bytes) -> pb.ImportOptedOutNumbersResponse:
    begun = await begin(room, content)
    await room.importer.step()
    response = pb.ImportOptedOutNumbersResponse()
    (await ended(room, begun)).response.Unpack(response)
    return response


async def listed(room: Room) -> list[opt_out_list_pb2.OptedOutNumber]:
    request = pb.ListOptedOutNumbersRequest(parent=DEFAULT, page_size=1_000)
    return list((await room.consent.ListOptedOutNumbers(request)).opted_out_numbers)


async def test_an_import_opts_out_records_announces_and_tells_of_each_bad_line(room: Room) -> None:
    response = await import_(room, CSV.encode())

    counts = (response.read_count, response.opted_out_count, response.present_count)
    assert (*counts, response.refused_count) == (5, 3, 1, 1)
    (bad,) = response.refusals
    assert (bad.line, bad.field, bad.reason) == (3, "phone_number", "PHONE_NUMBER_INVALID")
    assert "as +12065550191, or a short code" in bad.description
    assert "hello" not in bad.description
    ann, bob, code = await listed(room)
    assert [one.name.rpartition("/")[2] for one in (ann, bob, code)] == [ANN, BOB, "12345"]
    assert (ann.opt_out_time.ToJsonString(), ann.end_user_opted_out) == (
        "2024-05-01T10:00:00Z",
        True,
    )
    assert (bob.end_user_opted_out, bob.caller, bob.comment) == (False, "tester", "from before")
    (event,) = await announced(room, events_pb2.NumberOptedOut)
    assert {change.source for change in event.changes} == {opt_out_list_pb2.IMPORT}
    assert min(change.change_time.ToDatetime() for change in event.changes).year > 2024


async def refused(room: Room, begun: operations_pb2.Operation) -> list[int]:
    """The lines that an import refused, page by page."""
    request = pb.ListImportRefusalsRequest(parent=begun.name, page_size=500)
    lines: list[int] = []
    while True:
        page = await room.consent.ListImportRefusals(request)
        lines += [one.line for one in page.refusals]
        if not page.next_page_token:
            return lines
        request.page_token = page.next_page_token


async def test_every_refused_line_is_listed_also_those_that_the_answer_has_no_room_for(
    room: Room,
) -> None:
    content = "\n".join(["Phone Number", ANN, *(f"person {n}" for n in range(1_200)), BOB])
    begun = await begin(room, content.encode())
    await room.importer.step()

    response = pb.ImportOptedOutNumbersResponse()
    (await ended(room, begun)).response.Unpack(response)
    assert (response.refused_count, len(response.refusals)) == (1_200, 1_000)
    assert await refused(room, begun) == list(range(3, 1_203))
    assert response.refusals[0].field == "Phone Number"
    nobody = pb.ListImportRefusalsRequest(parent=f"{SHOP}/operations/none")
    with pytest.raises(NotFound):
        await room.consent.ListImportRefusals(nobody)


async def test_lines_that_two_replicas_meet_are_refused_once(room: Room) -> None:
    begun = await begin(room, b"phone_number\n" + b"nobody\n" * 50)

    await asyncio.gather(
        *(Importer(room.sessions, room.wakeups, lines_max=7).step() for _ in range(2))
    )

    assert await refused(room, begun) == list(range(2, 52))


async def test_an_import_again_changes_nothing(room: Room) -> None:
    await import_(room, CSV.encode())
    before = await listed(room)

    again = await import_(room, CSV.encode())

    assert (again.opted_out_count, again.present_count) == (0, 4)
    assert await listed(room) == before


async def test_what_died_half_way_goes_on_from_there_and_counts_no_line_twice(room: Room) -> None:
    begun = await begin(room, numbers(250))
    dying = Importer(room.sessions, room.wakeups, lines_max=100)
    key = ("shop", begun.name.rpartition("/")[2])
    async with room.sessions() as session:
        row = await jobs.get(session, key)
        assert row is not None
    assert await dying.chunk(key, 0, reading.read(row.content))
    half = await room.operations.GetOperation(operations_pb2.GetOperationRequest(name=begun.name))
    progress = pb.ImportOptedOutNumbersMetadata()
    half.metadata.Unpack(progress)
    assert (half.done, progress.read_count, progress.opted_out_count) == (False, 100, 100)

    await asyncio.gather(
        *(Importer(room.sessions, room.wakeups, lines_max=40).step() for _ in range(2))
    )

    response = pb.ImportOptedOutNumbersResponse()
    (await ended(room, begun)).response.Unpack(response)
    assert (response.read_count, response.opted_out_count, response.present_count) == (250, 250, 0)
    events = await announced(room, events_pb2.NumberOptedOut)
    assert sum(len(event.changes) for event in events) == 250
    assert not await dying.chunk(key, 100, islice(reading.read(row.content), 100, None))


async def test_a_repeated_request_is_one_import(room: Room) -> None:
    first = await begin(room, CSV.encode(), request_id="one")

    assert (await begin(room, CSV.encode(), request_id="one")).name == first.name


async def test_an_import_that_is_stopped_ends_with_what_it_has_done(room: Room) -> None:
    begun = await begin(room, numbers(250))
    await room.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=begun.name))

    await Importer(room.sessions, room.wakeups, lines_max=100).step()

    assert "stopped" in (await ended(room, begun)).error.message
    assert len(await listed(room)) == 100


async def test_a_list_that_goes_ends_its_imports(room: Room) -> None:
    parent = f"{SHOP}/optOutLists/alerts"
    create = pb.CreateOptOutListRequest(parent=SHOP, opt_out_list_id="alerts")
    await room.consent.CreateOptOutList(create)
    begun = await begin(room, CSV.encode(), parent=parent)
    await room.consent.DeleteOptOutList(pb.DeleteOptOutListRequest(name=parent))

    await room.importer.step()

    assert "does not exist" in (await ended(room, begun)).error.message


async def test_an_import_that_cannot_be_stored_keeps_nobody_waiting(
    room: Room, asking: Any
) -> None:
    stuck = await begin(room, b"phone_number\n+12065550199\n")
    # A trigger of the operator's that fails stands for whatever may go wrong below.
    await asking.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$"
    )
    await asking.execute(
        "CREATE TRIGGER fail BEFORE INSERT ON opted_out_numbers FOR EACH ROW "
        "WHEN (NEW.phone_number = '+12065550199') EXECUTE FUNCTION fail()"
    )

    response = await import_(room, CSV.encode())
    await asking.execute("DROP TRIGGER fail ON opted_out_numbers")
    await room.importer.step()

    assert response.opted_out_count == 3
    assert (await ended(room, stuck)).HasField("response")


@pytest.mark.parametrize("content", [b"", b"+12065550191\n", b"a,b\n1,2\n", b"\x00\xff\n"])
async def test_what_is_no_list_is_refused_at_once(room: Room, content: bytes) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await begin(room, content)

    assert refused.value.reason == "IMPORT_FORMAT_INVALID"


async def test_an_import_into_no_list_is_refused(room: Room) -> None:
    with pytest.raises(NotFound):
        await begin(room, CSV.encode(), parent=f"{SHOP}/optOutLists/nowhere")


def test_pinpoints_own_lines_are_read() -> None:
    lines = list(
        reading.read(
            b'{"OptedOutNumber": "+12065550191", "OptedOutTimestamp": 1714557600.5, '
            b'"EndUserOptedOut": true}\n\n[1]\n'
            b'{"phone_number": "+12065550192"}\n{"phone_number": 7}\n{"number": "x"}\n'
        )
    )

    assert [(line.line, line.number, bool(line.refusal)) for line in lines] == [
        (1, ANN, False),
        (3, "", True),
        (4, BOB, False),
        (5, "", True),
        (6, "", True),
    ]
    why = [(line.refusal.reason, line.refusal.field) for line in lines if line.refusal]
    assert why == [
        ("JSON_INVALID", ""),
        ("PHONE_NUMBER_INVALID", "phone_number"),
        ("PHONE_NUMBER_MISSING", "phone_number"),
    ]
    assert lines[0].opt_out_time is not None
    assert lines[0].opt_out_time.isoformat() == "2024-05-01T10:00:00.500000+00:00"
    assert lines[0].end_user_opted_out


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffPhone Number;x\n+12065550191;\n",
        "x\tPHONE_NUMBER\n\t+12065550191\n",
        '"phone_number"\r\n+1 206 555 0191\r\n',
    ],
)
def test_a_header_is_read_as_spreadsheets_write_it(content: str) -> None:
    assert list(reading.read(content.encode())) == [Line(2, ANN)]


def test_a_file_of_nonsense_is_bad_lines_or_refused() -> None:
    assert all(line.refusal for line in reading.read(b'phone_number\n"unclosed'))
    assert all(line.refusal for line in reading.read(b"{" * 5_000))
    with pytest.raises(InvalidArgument):
        list(reading.read(b"phone_number\n" + b"9" * 200_000))
