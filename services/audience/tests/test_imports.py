"""What the rows of a file become, through the front door and a worker."""

import json

import pytest
from audience_files import AWKWARD_FAILURES, awkward, people
from audience_room import UPLOAD_BYTES_MAX, Room, name
from heliograph.audience.v1 import endpoint_pb2, events_pb2, import_job_pb2
from mesh.rpc import status

Job = import_job_pb2.ImportJob


async def test_every_row_of_an_awkward_file_is_imported_or_refused_with_its_line(
    room: Room,
) -> None:
    job = await room.imported(awkward())

    assert job.state == Job.SUCCEEDED
    assert await room.failures(job.name) == AWKWARD_FAILURES
    assert (job.imported_count, job.failed_count) == (5, len(AWKWARD_FAILURES))
    assert job.processed_bytes == job.total_bytes == len(awkward())
    assert await room.listed() == ["line-break", "mail", "plain", "quoted", "two lines"]
    plain = await room.read("plain")
    assert list(plain.attributes["interest"].values) == ["golf", "chess"]
    assert list((await room.read("line-break")).attributes["interest"].values) == ["two\r\nlines"]
    quoted = await room.read("quoted")
    assert (quoted.address, quoted.location.country) == ("+14155550101", "US")
    assert (await room.read("mail")).address == "Ünï@example.com"


@pytest.mark.parametrize("lines", [1, 2, 7])
async def test_it_does_not_matter_where_a_file_is_cut(room: Room, lines: int) -> None:
    room.limit(chunk_lines=lines)

    job = await room.imported(awkward(), size=100)

    assert await room.failures(job.name) == AWKWARD_FAILURES
    assert job.imported_count == 5


async def test_pinpoints_export_loads_as_it_is(room: Room) -> None:
    exported = [
        {
            "ApplicationId": "4fd1",
            "Id": "endpoint-1",
            "ChannelType": "GCM",
            "Address": "token",
            "EndpointStatus": "ACTIVE",
            "OptOut": "ALL",
            "RequestId": "r",
            "CohortId": "39",
            "CreationDate": "2023-01-01T00:00:00.000Z",
            "EffectiveDate": "2023-01-01T00:00:00.000Z",
            "Attributes": {"interest": ["golf", "chess"], "none": []},
            "Metrics": {"age": 31.0, "visits": "12"},
            "Demographic": {"Make": "LG", "Timezone": "Europe/Berlin"},
            "Location": {"City": "Berlin", "Country": "DEU", "Latitude": "52.5", "Longitude": 13.4},
            "User": {"UserId": "u1", "UserAttributes": {"first": ["Ann"], "single": "one"}},
        },
        {"ChannelType": "SMS", "Address": "+16045550182", "Location": {"Country": "CA"}},
    ]
    bad = ["[]", '{"Addres": "x"}', '{"Address": 5}', '{"Id": "\\ud800"', "{}", "\xff"]
    data = "\n".join([*map(json.dumps, exported), "", *bad]).encode("latin-1")

    job = await room.imported(data, file_name="export.json")

    first = await room.read("endpoint-1")
    assert (job.imported_count, job.failed_count) == (2, 6)
    assert first.channel_type == 3
    assert first.opt_out == endpoint_pb2.Endpoint.ALL
    assert dict(first.metrics) == {"age": 31.0, "visits": 12.0}
    assert sorted(first.attributes) == ["interest"]
    assert list(first.user.attributes["single"].values) == ["one"]
    assert (first.location.country, first.location.latitude) == ("DE", 52.5)
    assert await room.failures(job.name) == [
        (4, "", "JSON_INVALID"),
        (5, "", "JSON_INVALID"),
        (6, "Address", "JSON_INVALID"),
        (7, "", "JSON_INVALID"),
        (8, "ChannelType", "CHANNEL_TYPE_MISSING"),
        (9, "", "JSON_INVALID"),
    ]


async def test_importing_a_file_again_changes_nothing_but_times(room: Room) -> None:
    first = await room.imported(people(300))
    again = await room.imported(people(300))

    assert (first.created_count, again.created_count) == (300, 0)
    assert (again.imported_count, again.deactivated_count) == (300, 0)
    read = await room.read("e7")
    assert (read.etag, list(read.user.attributes["name"].values)) == ('"2"', ["name 7"])


async def test_rows_without_an_id_are_the_same_endpoints_each_time(room: Room) -> None:
    data = b"ChannelType,Address\nSMS,+14155550123\nSMS,+1 415 555 0123\nEMAIL,a@b.io\n"
    await room.imported(data)
    await room.imported(data)

    assert len(await room.listed()) == 2


async def test_a_row_with_an_id_alone_updates_what_is_there(room: Room) -> None:
    await room.write("e1", channel_type=3, address="t", metrics={"kept": 1})
    job = await room.imported(b"Id,Metrics.age\ne1,31\nnobody,31\n")

    assert dict((await room.read("e1")).metrics) == {"kept": 1, "age": 31}
    assert await room.failures(job.name) == [(3, "ChannelType", "CHANNEL_TYPE_MISSING")]


async def test_imported_endpoints_take_addresses_and_say_so_once_a_chunk(room: Room) -> None:
    for index in range(3):
        await room.write(f"old{index}", channel_type=1, address=f"+1415{5_000_000 + index}")
    job = await room.imported(people(5))

    (event,) = await room.announced(events_pb2.AddressesClaimed)
    assert job.deactivated_count == 3
    assert {(one.former_endpoint, one.endpoint) for one in event.claims} == {
        (name(f"old{index}"), name(f"e{index}")) for index in range(3)
    }
    assert (await room.read("old0")).status == endpoint_pb2.Endpoint.INACTIVE


async def test_the_last_row_of_an_address_has_it(room: Room) -> None:
    rows = "".join(f"SMS,+14155550123,e{index}\n" for index in range(4))
    job = await room.imported(f"ChannelType,Address,Id\n{rows}".encode())

    statuses = [(await room.read(f"e{index}")).status for index in range(4)]
    assert statuses == [endpoint_pb2.Endpoint.INACTIVE] * 3 + [endpoint_pb2.Endpoint.ACTIVE]
    assert (job.imported_count, job.deactivated_count) == (4, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "HEADER_INVALID"),
        (b"\xef\xbb\xbf\n\n", "HEADER_INVALID"),
        (b"Adress,ChannelTyp\nx,y\n", "HEADER_INVALID"),
        (b"ChannelType;Address\nSMS;+14155550123\n", "HEADER_INVALID"),
        (b"Address,Address,ChannelType\n", "HEADER_INVALID"),
        (b"Address,Attributes.x\n", "HEADER_INVALID"),
        (b"Metrics.\n", "HEADER_INVALID"),
        (b"\x1f\x8b\x08rest", "COMPRESSION_INVALID"),
        (b"PK\x03\x04rest", "IMPORT_FORMAT_UNSUPPORTED"),
        ("Id,Address\n".encode("utf-16"), "IMPORT_FORMAT_UNSUPPORTED"),
        (b"Id,Metrics.a\n" + b"x" * (UPLOAD_BYTES_MAX - 20), "ROW_TOO_LONG"),
    ],
)
async def test_a_file_that_is_none_fails_as_a_whole_with_a_reason(
    room: Room, data: bytes, reason: str
) -> None:
    room.limit(line_bytes_max=100_000)
    job = await room.imported(data)

    assert job.state == Job.FAILED
    assert status.to_error(job.error).reason == reason
    assert job.HasField("end_time")


async def test_a_misspelt_header_gets_a_hint(room: Room) -> None:
    job = await room.imported(b"Adress,ChannelType\n")

    assert "did you mean Address?" in job.error.message


async def test_an_empty_list_in_a_line_takes_the_attribute_away(room: Room) -> None:
    lines = [
        {"Id": "e1", "ChannelType": "GCM", "Address": "t", "Attributes": {"a": ["1"], "b": ["2"]}},
        {"Id": "e1", "Attributes": {"a": []}},
    ]
    data = "\n".join(map(json.dumps, lines)).encode()
    await room.imported(data, file_name="people.jsonl")

    assert list((await room.read("e1")).attributes) == ["b"]
