"""Time zones as people write them, and the names they are stored by."""

import pytest
from audience.endpoints import time_zones
from audience_room import Room

PHONE = {"channel_type": "SMS", "address": "+14155550123"}
LINE = (
    b'{"ChannelType":"SMS","Address":"+14155550123","Id":"e1",'
    b'"Demographic":{"Timezone":"europe/berlin"}}\n'
)
TABLE = b"ChannelType,Address,Id,Demographic.Timezone\nSMS,+14155550123,e1,EUROPE/Berlin\n"


def test_no_two_zones_differ_in_case_alone() -> None:
    assert len({name.lower() for name in time_zones.names()}) == len(time_zones.names())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("AMERICA/NEW_YORK", "America/New_York"),
        (" utc ", "UTC"),
        ("Mars/Olympus", None),
        ("", None),
    ],
)
def test_a_zone_in_any_case_has_its_proper_name(text: str, name: str | None) -> None:
    assert time_zones.proper(text) == name


async def test_a_written_zone_is_stored_by_its_proper_name(room: Room) -> None:
    written = await room.write("e1", **PHONE, demographic={"timezone": "europe/berlin"})

    assert written.demographic.timezone == "Europe/Berlin"
    assert (await room.read("e1")).demographic.timezone == "Europe/Berlin"


@pytest.mark.parametrize(("file", "file_name"), [(LINE, "a.jsonl"), (TABLE, "a.csv")])
async def test_an_imported_zone_is_stored_by_its_proper_name(
    room: Room, file: bytes, file_name: str
) -> None:
    job = await room.imported(file, file_name=file_name)

    assert (job.imported_count, job.failed_count) == (1, 0)
    assert (await room.read("e1")).demographic.timezone == "Europe/Berlin"
