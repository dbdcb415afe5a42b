"""Phone numbers without `+`, read as in the application's default country, whatever the door."""

import io
import json
from collections.abc import AsyncIterator, Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audience.applications.directory import Directory
from audience.endpoints import phone_numbers
from audience_room import SHOP, Room, name
from heliograph.audience.v1 import application_service_pb2 as application_pb
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from heliograph.audience.v1.channel_type_pb2 import EMAIL, SMS
from mesh.errors import AlreadyExists, InvalidArgument, NotFound

BERLIN = "+4930123456"
WRITTEN = "030 / 123-456"


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("(415) 555-0123", "US", "+14155550123"),
        ("1 415 555 0123", "US", "+14155550123"),
        ("011 49 30 123456", "US", BERLIN),
        (WRITTEN, "DE", BERLIN),
        ("0049 30 123456", "DE", BERLIN),
        (" 030123456 ", "DE", BERLIN),
        ("030123456", "US", None),
        ("+49 30 123456", "DE", None),
        ("110", "DE", None),
        ("030 123 ext 4", "DE", None),
        ("030-CALL-ME", "DE", None),
        ("", "DE", None),
    ],
)
def test_a_number_is_read_as_it_is_dialled_there(
    text: str, country: str, expected: str | None
) -> None:
    assert phone_numbers.national(text, country) == expected


async def set_country(room: Room, country: str) -> None:
    settings = {"default_country": country}
    await room.applications.UpdateApplication(
        application_pb.UpdateApplicationRequest(application={"name": SHOP, "settings": settings})
    )


async def test_every_door_reads_numbers_by_it(room: Room) -> None:
    await set_country(room, "DE")
    endpoint = {"channel_type": SMS, "address": WRITTEN}

    async def stream() -> AsyncIterator[pb.StreamUpdateEndpointsRequest]:
        endpoints = [{"name": name("streamed"), **endpoint}]
        yield pb.StreamUpdateEndpointsRequest(parent=SHOP, endpoints=endpoints)

    created = await room.endpoints.CreateEndpoint(
        pb.CreateEndpointRequest(parent=SHOP, endpoint=endpoint)
    )
    updated = await room.write("updated", **endpoint)
    batch = await room.endpoints.BatchUpdateEndpoints(
        pb.BatchUpdateEndpointsRequest(
            parent=SHOP,
            requests=[
                {"endpoint": {"name": name("batch"), **endpoint}, "allow_missing": True},
            ],
        )
    )
    await room.endpoints.StreamUpdateEndpoints(stream())

    assert created.address == updated.address == batch.results[0].endpoint.address == BERLIN
    assert created.estimated_time_zone.time_zone == "Europe/Berlin"
    assert (await room.read("streamed")).address == BERLIN
    # Without an id, the same number is the same endpoint, however it is written.
    same = {"channel_type": SMS, "address": BERLIN}
    with pytest.raises(AlreadyExists):
        await room.endpoints.CreateEndpoint(pb.CreateEndpointRequest(parent=SHOP, endpoint=same))


def csv() -> bytes:
    return f"ChannelType,Address\nSMS,{WRITTEN}\nEMAIL,ann@example.com\nSMS,12\n".encode()


def json_lines() -> bytes:
    addresses = [("SMS", WRITTEN), ("EMAIL", "ann@example.com"), ("SMS", "12")]
    rows = [json.dumps({"ChannelType": kind, "Address": address}) for kind, address in addresses]
    return "\n".join(rows).encode()


def parquet() -> bytes:
    columns = {
        "ChannelType": ["SMS", "EMAIL", "SMS"],
        "Address": [WRITTEN, "ann@example.com", "12"],
    }
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


@pytest.mark.parametrize("file", [csv, json_lines, parquet])
async def test_imports_read_numbers_by_it(room: Room, file: Callable[[], bytes]) -> None:
    await set_country(room, "DE")

    job = await room.imported(file(), file_name="people")

    assert (job.imported_count, job.failed_count) == (2, 1)
    answer = await room.endpoints.ListEndpoints(pb.ListEndpointsRequest(parent=SHOP))
    assert {one.address for one in answer.endpoints} == {BERLIN, "ann@example.com"}


async def test_without_it_or_without_a_channel_a_number_needs_its_plus(room: Room) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.write("e", channel_type=SMS, address=WRITTEN)
    assert refusal.value.reason == "ADDRESS_INVALID"

    await room.write("e", channel_type=SMS, address=BERLIN)
    with pytest.raises(InvalidArgument):
        await room.write("e", address=WRITTEN)
    with pytest.raises(InvalidArgument):
        await room.write("m", channel_type=EMAIL, address="030123456")


async def test_a_country_that_is_changed_is_soon_known(room: Room) -> None:
    remembering, asking = Directory(room.sessions, 60), Directory(room.sessions, 0)
    assert [await one.country("shop") for one in (remembering, asking)] == ["", ""]

    await set_country(room, "DE")

    assert [await one.country("shop") for one in (remembering, asking)] == ["", "DE"]
    with pytest.raises(NotFound):
        await asking.country("nowhere")
