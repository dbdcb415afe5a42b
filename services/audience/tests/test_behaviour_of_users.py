"""Segments that ask what all endpoints of a user did together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from analytics.eventstore.client import EventStore
from audience.segments.behaviours import conditions
from audience.segments.sets import Analytics
from audience.segments.windows import Windows
from audience_analytics import store
from audience_behaviour import Happening
from audience_room import Room, name
from audience_segments import GOLD, audience
from google.protobuf.json_format import ParseDict
from heliograph.audience.v1 import segment_filter_pb2
from heliograph.audience.v1 import segment_service_pb2 as pb
from mesh.testkit.rpc import RpcConnect


def paid(least: int | None = None, most: int | None = None, **fields: Any) -> dict[str, Any]:
    counts = {"count_min": least, "count_max": most}
    return {"event": {"event_type": "pay", "scope": "USER", **counts, **fields}}


def group(operator: str, *filters: dict[str, Any]) -> dict[str, Any]:
    return {"group": {"operator": operator, "filters": filters}}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def what_was_paid(event_store: EventStore) -> None:
    """Ann pays with two endpoints, bob with one; e0 is nobody's."""
    then = datetime.now(UTC) - timedelta(days=2)
    paying = {"e0": 1, "e1": 2, "e2": 1, "e3": 1}
    happened = [
        Happening(endpoint, "pay", then + timedelta(hours=hour), {"by": "card"})
        for endpoint, times in paying.items()
        for hour in range(times)
    ]
    await store(event_store, "shop", [*happened, Happening("e5", "pay", then, {"by": "bank"})])


@pytest_asyncio.fixture(loop_scope="session")
async def paying(room: Room, analytics_address: str, what_was_paid: None) -> Room:
    """Ann has e1, e3 and e7, bob e2 and e8, cyd e4 and e5; the others are nobody's."""
    room.analytics_address = analytics_address
    await room.serve()
    await audience(room)
    for user, endpoints in {"ann": "e1 e3 e7", "bob": "e2 e8", "cyd": "e4 e5"}.items():
        for endpoint in endpoints.split():
            await room.write(endpoint, user={"user_id": user})
    return room


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (paid(), "e0 e1 e2 e3 e4 e5 e7 e8"),
        (paid(3), "e1 e3 e7"),
        (paid(most=0), "e6 e9"),
        (paid(1, 2), "e0 e2 e4 e5 e8"),
        (paid(window={"seconds": 86_400}), ""),
        (group("NONE", paid(3)), "e0 e2 e4 e5 e6 e8 e9"),
        (group("ALL", paid(2), GOLD), ""),
        (group("ALL", paid(), GOLD), "e0 e2 e4 e8"),
        (group("ALL", paid(3), {"event": {"event_type": "pay", "count_max": 0}}), "e7"),
        (
            paid(attributes=[{"name": "by", "operator": "INCLUSIVE", "values": ["bank"]}]),
            "e4 e5",
        ),
    ],
)
async def test_what_a_user_did_counts_for_each_endpoint_of_the_user(
    paying: Room, question: dict[str, Any], expected: str
) -> None:
    segment, members = await paying.create_segment(question), expected.split()

    counted = await paying.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    preview = await paying.segments.PreviewSegment(pb.PreviewSegmentRequest(name=segment.name))
    checked = await paying.segments.CheckMembers(
        pb.CheckMembersRequest(
            name=segment.name, endpoints=[name(f"e{index}") for index in range(10)]
        )
    )
    stream = paying.segments.StreamMembers(pb.StreamMembersRequest(name=segment.name, page_size=2))
    streamed = [one.name async for page in stream for one in page.endpoints]

    assert streamed == [name(one) for one in members]
    assert counted.total == len(members)
    assert [one.name for one in preview.endpoints] == streamed
    assert list(checked.members) == streamed


async def test_an_endpoint_made_later_adds_nothing_to_what_was_known(
    paying: Room, reading: Any, rpc_connect: RpcConnect
) -> None:
    await paying.write("e6", user={"user_id": "ann"})
    read_time = paying.now()
    await paying.write("later", channel_type=3, address="t-later", user={"user_id": "dan"})
    await paying.write("e0", user={"user_id": "dan"})
    asked = ParseDict(paid(), segment_filter_pb2.SegmentFilter())
    analytics = Analytics(rpc_connect(paying.analytics_address))
    ends = [
        await Windows(reading, analytics, "shop", conditions(asked), moment).among(
            ["e6", "e9", "later"]
        )
        for moment in (read_time, paying.now())
    ]

    assert [list(*window.sets.values()) for window in ends] == [["e6"], ["e6", "later"]]


async def test_many_endpoints_are_asked_about_in_pieces(
    paying: Room, reading: Any, rpc_connect: RpcConnect
) -> None:
    asked = ParseDict(paid(3), segment_filter_pb2.SegmentFilter())
    analytics = Analytics(rpc_connect(paying.analytics_address))
    windows = Windows(reading, analytics, "shop", conditions(asked), paying.now())

    window = await windows.among(["e7", *(f"x{index}" for index in range(20_500))])

    assert list(*window.sets.values()) == ["e7"]
