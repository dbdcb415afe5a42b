"""Quiet time by the recipient's clock, through the whole pipeline."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from messaging.channels.outgoing import RenderedPush
from messaging.pipeline import works
from messaging.render import timestamp
from messaging.rendering.contents import compile_content
from messaging_room import word
from messaging_samples import START, batch, content, endpoint, number

HERE, FAR = "UTC", "Etc/GMT-8"
"""Eight hours apart, so that only here it is quiet."""


def quiet_here(policy="SKIP", default=""):
    """Quiet for two hours on either side of now, by the clocks of UTC."""
    now = datetime.now(UTC)
    return SendBatch.QuietTime(
        start=f"{now - timedelta(hours=2):%H:%M}",
        end=f"{now + timedelta(hours=2):%H:%M}",
        missing_time_zone_policy=ApplicationSettings.MissingTimeZonePolicy.Value(policy),
        default_time_zone=default,
    )


def living_in(index, zone="", **fields):
    return endpoint(index, demographic={"timezone": zone}, **fields)


async def test_who_is_in_quiet_time_gets_nothing_and_the_others_do(room):
    estimated = endpoint(3, estimated_time_zone={"time_zone": HERE})
    inactive = living_in(4, HERE, status=Endpoint.INACTIVE)
    members = [living_in(0, HERE), living_in(1, FAR), endpoint(2), estimated, inactive]

    await room.publish(batch(members, quiet_time=quiet_here()))

    assert await room.settled(5) == {
        "e0": "QUIET_TIME",
        "e1": "DELIVERED",
        "e2": "MISSING_TIMEZONE",
        "e3": "QUIET_TIME",
        "e4": "ENDPOINT_INACTIVE",
    }
    assert [entry["destination"] for entry in await room.arrived()] == [number(1)]


@pytest.mark.parametrize(
    ("policy", "default", "end"),
    [
        ("SEND_ANYWAY", "", "DELIVERED"),
        ("USE_DEFAULT", FAR, "DELIVERED"),
        ("USE_DEFAULT", HERE, "QUIET_TIME"),
    ],
)
async def test_who_has_no_zone_is_treated_by_the_policy(room, policy, default, end):
    await room.publish(batch([endpoint(0)], quiet_time=quiet_here(policy, default)))

    assert await room.settled(1) == {"e0": end}


def test_what_waited_until_its_time_was_over_or_quiet_is_not_handed_over():
    at_eight = datetime(2026, 7, 1, 20, tzinfo=UTC)
    sent = batch(
        [living_in(0, HERE), living_in(1, FAR)],
        quiet_time=SendBatch.QuietTime(start="20:00", end="08:00"),
    )

    assert late(sent, at_eight - timedelta(minutes=1)) == ["HANDING", "QUIET_TIME"]
    assert late(sent, at_eight) == ["QUIET_TIME", "QUIET_TIME"]
    assert late(sent, at_eight + timedelta(hours=4, minutes=1)) == ["QUIET_TIME", "HANDING"]
    sent.expire_time.CopyFrom(timestamp(at_eight) or Timestamp())
    assert late(sent, at_eight) == ["EXPIRED", "EXPIRED"]


def late(sent, now):
    frame = works.Frame(sent, [], {}, START)
    made = [
        works.Work(works.row_of(frame, recipient), recipient, 0, RenderedPush())
        for recipient in sent.recipients
    ]
    works.skip_late(sent, made, now)
    assert all((work.rendered is None) == bool(work.row.reason) for work in made)

    return [word(work.row) for work in made]


@pytest.mark.parametrize(
    ("begun", "keep_pace", "expected"),
    [
        ("18:00", True, "06:11:30"),
        ("22:05", True, "06:06:30"),
        ("22:20", True, "06:01"),
        ("22:05", False, "06:01"),
    ],
)
def test_who_came_later_into_quiet_time_leaves_later_at_the_same_pace(begun, keep_pace, expected):
    """It is ten past ten and a half, and quiet since ten."""
    now = datetime(2026, 7, 1, 22, 10, 30, tzinfo=UTC)
    hours, minutes = map(int, begun.split(":"))
    sent = batch(
        [living_in(0, HERE)],
        quiet_time=SendBatch.QuietTime(start="22:00", end="06:00", hold=True, keep_pace=keep_pace),
        source_time=timestamp(now.replace(hour=hours, minute=minutes, second=0)),
    )
    contents = [compile_content(content("Hello"))]

    (work,) = works.make(works.Frame(sent, contents, {1: "+12065550100"}, now), sent.recipients)

    assert work.hold_until == datetime.fromisoformat(f"2026-07-02T{expected}").replace(tzinfo=UTC)
    assert (word(work.row), work.rendered) == ("ACCEPTED", None)
