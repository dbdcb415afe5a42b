"""The time zone of who states none, and whether number, postal code or country tells it."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from audience.endpoints import postal_zones, zone_estimates
from audience_room import Room
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1 import endpoint_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from phonenumbers import timezone

SMS, EMAIL, VOICE = 1, 2, 6
Source = endpoint_pb2.EstimatedTimeZone


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("+14155550123", "America/Los_Angeles"),
        ("+12125550123", "America/New_York"),
        ("+16025550123", "America/Phoenix"),
        ("+18005550123", None),
        ("+4915123456789", "Europe/Berlin"),
        ("+5511987654321", "America/Sao_Paulo"),
        ("+74952345678", None),
        ("+79161234567", None),
        ("+61412345678", None),
        ("+819012345678", "Asia/Tokyo"),
    ],
)
def test_a_number_tells_its_zone_where_it_has_one(address: str, zone: str | None) -> None:
    told = zone_estimates.estimate(SMS, address, {})

    assert told == (zone and {"time_zone": zone, "source": Source.PHONE_NUMBER})
    assert zone_estimates.estimate(EMAIL, address, {}) is None


def test_example_numbers_of_the_world_tell_what_the_library_would() -> None:
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    told = set()
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in kinds:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            estimate = zone_estimates.estimate(SMS, text, {})
            zones = timezone.time_zones_for_number(number)
            assert estimate is None or offsets(estimate["time_zone"]) in map(offsets, zones), text
            told |= {region} if estimate else set()
    assert len(told) > 200


def offsets(zone: str) -> list[Any]:
    moments = [datetime(2026, month, 15, tzinfo=UTC) for month in (1, 7)]
    return [moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments]


@pytest.mark.parametrize(
    ("country", "postal_code", "zone", "source"),
    [
        ("US", "94105", "America/Los_Angeles", Source.POSTAL_CODE),
        ("US", "10001-1234", "America/New_York", Source.POSTAL_CODE),
        ("US", "60601", "America/Chicago", Source.POSTAL_CODE),
        ("US", "85001", "America/Phoenix", Source.POSTAL_CODE),
        ("US", "47978", None, None),
        ("US", "9410", None, None),
        ("CA", "m5v 3l9", "America/Toronto", Source.POSTAL_CODE),
        ("CA", "V1A 1A1", None, None),
        ("DE", "10115", "Europe/Berlin", Source.COUNTRY),
        ("IN", "", "Asia/Kolkata", Source.COUNTRY),
        ("BR", "01310-100", None, None),
        ("XK", "", None, None),
    ],
)
def test_a_place_tells_its_zone_where_it_has_one(
    country: str, postal_code: str, zone: str | None, source: int | None
) -> None:
    told = zone_estimates.estimate(EMAIL, "", {"country": country, "postal_code": postal_code})

    assert told == (zone and {"time_zone": zone, "source": source})


def test_every_zone_of_a_postal_code_exists() -> None:
    for number in range(1000):
        zone = postal_zones.zone("US", f"{number:03}00")
        assert not zone or ZoneInfo(zone)


async def test_an_endpoint_says_its_estimate_until_a_zone_is_stated(room: Room) -> None:
    first = await room.write("e1", channel_type=SMS, address="+14155550123")
    read = await room.read("e1")
    stated = await room.write("e1", demographic={"timezone": "Europe/Berlin"})

    assert first.estimated_time_zone == read.estimated_time_zone
    assert (read.estimated_time_zone.time_zone, read.estimated_time_zone.source) == (
        *("America/Los_Angeles", Source.PHONE_NUMBER),
    )
    assert not stated.HasField("estimated_time_zone")
    assert not (await room.read("e1")).HasField("estimated_time_zone")


async def test_an_estimate_that_is_written_back_is_let_be(room: Room) -> None:
    read = await room.write("e1", channel_type=SMS, address="+14155550123")
    read.location.city = "Oakland"
    written = await room.endpoints.UpdateEndpoint(pb.UpdateEndpointRequest(endpoint=read))
    masked = await room.endpoints.UpdateEndpoint(
        pb.UpdateEndpointRequest(endpoint=written, update_mask=FieldMask(paths=["*"]))
    )

    assert (masked.location.city, masked.HasField("demographic")) == ("Oakland", False)
    assert masked.estimated_time_zone.time_zone == "America/Los_Angeles"
