"""Segments, through the front door."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from audience_room import SHOP, Room, name, values
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.audience.v1 import endpoint_pb2, events_pb2, segment_filter_pb2, segment_pb2
from heliograph.audience.v1 import segment_service_pb2 as pb
from mesh.errors import Error, InvalidArgument, NotFound, Unimplemented

Endpoint = endpoint_pb2.Endpoint
GOLD = {"attribute": {"name": "plan", "operator": "INCLUSIVE", "values": ["gold"]}}
EVERYBODY = {"group": {"operator": "ALL"}}


async def audience(room: Room) -> None:
    """Ten endpoints: even ones are gold, the first two cannot be reached, three mailboxes."""
    for index in range(10):
        is_mail = index >= 7
        await room.write(
            f"e{index}",
            channel_type=2 if is_mail else 3,
            address=f"a{index}@b.io" if is_mail else f"t{index}",
            attributes=values(plan=["gold" if index % 2 == 0 else "free"]),
            opt_out=Endpoint.ALL if index == 0 else Endpoint.NONE,
            status=Endpoint.INACTIVE if index == 2 else Endpoint.ACTIVE,
        )


async def pages(room: Room, request: pb.StreamMembersRequest) -> list[pb.MemberPage]:
    stream: AsyncIterator[pb.MemberPage] = room.segments.StreamMembers(request)
    return [page async for page in stream]


async def test_count_tells_members_those_within_reach_and_channels(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD, "gold")

    counted = await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))

    assert (counted.total, counted.eligible) == (5, 3)
    assert dict(counted.counts_by_channel) == {"EMAIL": 1, "PUSH_FCM": 4}
    assert dict(counted.eligible_by_channel) == {"EMAIL": 1, "PUSH_FCM": 2}


async def test_members_stream_in_pages_by_id_also_those_out_of_reach(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD)

    streamed = await pages(room, pb.StreamMembersRequest(name=segment.name, page_size=2))

    assert [[one.name for one in page.endpoints] for page in streamed] == [
        [name("e0"), name("e2")],
        [name("e4"), name("e6")],
        [name("e8")],
    ]
    assert [page.last for page in streamed] == ["e2", "e6", "e8"]
    assert streamed[0].endpoints[0] == await room.read("e0")


async def test_a_stream_goes_on_after_a_key_and_ends_at_its_read_time(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(EVERYBODY)
    read_time = datetime.now(UTC)
    await room.write("e5x", channel_type=3, address="late")

    request = pb.StreamMembersRequest(name=segment.name, after="e4", read_time=read_time)
    (page,) = await pages(room, request)

    assert [one.name for one in page.endpoints] == [name(f"e{index}") for index in range(5, 10)]


async def test_a_segment_without_members_streams_nothing(room: Room) -> None:
    segment = await room.create_segment(GOLD)

    assert await pages(room, pb.StreamMembersRequest(name=segment.name)) == []


async def test_a_preview_takes_a_saved_segment_or_a_filter(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD)
    saved = await room.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=segment.name, page_size=3)
    )
    rest = await room.segments.PreviewSegment(
        pb.PreviewSegmentRequest(name=segment.name, page_size=3, page_token=saved.next_page_token)
    )
    inline = await room.segments.PreviewSegment(pb.PreviewSegmentRequest(name=SHOP, filter=GOLD))

    assert [*saved.endpoints, *rest.endpoints] == list(inline.endpoints)
    assert len(inline.endpoints) == 5


async def test_members_are_told_from_others(room: Room) -> None:
    await audience(room)
    segment = await room.create_segment(GOLD)

    answer = await room.segments.CheckMembers(
        pb.CheckMembersRequest(
            name=segment.name, endpoints=[name(one) for one in ("e4", "e1", "gone", "e0")]
        )
    )

    assert list(answer.members) == [name("e4"), name("e0")]


async def test_a_new_definition_is_a_new_version_and_the_old_one_stays(room: Room) -> None:
    await audience(room)
    first = await room.create_segment(GOLD, "vip")
    renamed = await room.segments.UpdateSegment(
        pb.UpdateSegmentRequest(
            segment={"name": first.name, "display_name": "VIP"},
            update_mask=FieldMask(paths=["display_name"]),
        )
    )
    second = await room.segments.UpdateSegment(
        pb.UpdateSegmentRequest(segment={"name": first.name, "filter": EVERYBODY})
    )

    pinned = await room.segments.CountSegment(
        pb.CountSegmentRequest(name=f"{first.name}/versions/1")
    )
    newest = await room.segments.CountSegment(pb.CountSegmentRequest(name=first.name))
    listed = await room.segments.ListSegmentVersions(
        pb.ListSegmentVersionsRequest(parent=first.name)
    )
    assert (first.version, renamed.version, second.version) == (1, 1, 2)
    assert (renamed.display_name, second.display_name) == ("VIP", "VIP")
    assert (pinned.total, newest.total) == (5, 10)
    assert [one.name for one in listed.versions] == [
        f"{first.name}/versions/2",
        f"{first.name}/versions/1",
    ]
    with pytest.raises(NotFound) as refusal:
        await room.segments.GetSegmentVersion(
            pb.GetSegmentVersionRequest(name=f"{first.name}/versions/3")
        )
    assert refusal.value.reason == "SEGMENT_VERSION_NOT_FOUND"


async def test_deleting_a_segment_is_announced(room: Room) -> None:
    segment = await room.create_segment(GOLD, "gold")
    await room.segments.DeleteSegment(pb.DeleteSegmentRequest(name=segment.name))

    with pytest.raises(NotFound) as refusal:
        await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    (event,) = await room.announced(events_pb2.SegmentDeleted)
    assert refusal.value.reason == "SEGMENT_NOT_FOUND"
    assert event.segment == segment.name


async def test_creating_is_safe_to_repeat(room: Room) -> None:
    request = pb.CreateSegmentRequest(parent=SHOP, segment={"filter": GOLD}, request_id="r1")
    first = await room.segments.CreateSegment(request)
    again = await room.segments.CreateSegment(request)

    listed = await room.segments.ListSegments(pb.ListSegmentsRequest(parent=SHOP))
    assert first == again
    assert list(listed.segments) == [first]


@pytest.mark.parametrize(
    ("question", "reason", "field"),
    [
        (
            {"group": {"operator": "ALL", "filters": [GOLD, {"event": {"event_type": "buy"}}]}},
            "FILTER_NOT_SUPPORTED",
            "segment.filter.group.filters[1].event",
        ),
        (
            {"source_segments": {"operator": "ANY", "segments": [f"{SHOP}/segments/a"]}},
            "FILTER_NOT_SUPPORTED",
            "segment.filter.source_segments",
        ),
        (
            {"recency": {"window": {"seconds": 86400}, "activity": "ACTIVE"}},
            "FILTER_NOT_SUPPORTED",
            "segment.filter.recency",
        ),
    ],
)
async def test_what_nobody_can_answer_is_refused_with_its_path(
    room: Room, question: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(Unimplemented) as refusal:
        await room.create_segment(question)

    assert (refusal.value.reason, refusal.value.violations[0].field) == (reason, field)


def nested(levels: int) -> segment_filter_pb2.SegmentFilter:
    question = segment_filter_pb2.SegmentFilter(**GOLD)
    for _ in range(levels):
        question = segment_filter_pb2.SegmentFilter(
            group={"operator": "ALL", "filters": [question]}
        )
    return question


def attribute(operator: str, *given: str) -> dict[str, Any]:
    return {"attribute": {"name": "joined", "operator": operator, "values": list(given)}}


@pytest.mark.parametrize(
    ("question", "reason", "field"),
    [
        ({"group": {"operator": "ANY"}}, "FILTER_GROUP_EMPTY", "group"),
        (attribute("INCLUSIVE"), "FILTER_VALUES_COUNT", "attribute.values"),
        (attribute("BETWEEN", "2026-01-01"), "FILTER_VALUES_COUNT", "attribute.values"),
        (attribute("PRESENT", "x"), "FILTER_VALUES_COUNT", "attribute.values"),
        (attribute("BEFORE", "tomorrow"), "FILTER_INSTANT_INVALID", "attribute.values[0]"),
        (
            attribute("BETWEEN", "2026-02-01", "2026-01-01"),
            "FILTER_INSTANT_INVALID",
            "attribute.values",
        ),
        ({"state": {}}, "FILTER_EMPTY", "state"),
        (
            {"distance": {"center": {"latitude": 91}, "radius_kilometers": 1}},
            "COORDINATE_INVALID",
            "distance.center",
        ),
    ],
)
async def test_a_question_that_is_none_is_refused_with_its_path(
    room: Room, question: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.create_segment(question)

    assert refusal.value.reason == reason
    assert refusal.value.violations[0].field == f"segment.filter.{field}"


@pytest.mark.parametrize(
    "question",
    [
        {"attribute": {"name": "a", "operator": 99, "values": ["x"]}},
        {"metric": {"name": "a", "comparison": 0}},
        {"metric": {"name": "a", "comparison": 1, "value": float("nan")}},
        {"channel": {"channel_types": [0]}},
        {"channel": {}},
        {},
    ],
)
async def test_an_unknown_operator_is_refused_by_the_contract(
    room: Room, question: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument):
        await room.create_segment(question)


@pytest.mark.parametrize(("levels", "is_allowed"), [(31, True), (32, False), (45, False)])
async def test_a_filter_has_so_many_levels_and_no_more(
    room: Room, levels: int, is_allowed: bool
) -> None:
    request = pb.CreateSegmentRequest(parent=SHOP, segment={"filter": nested(levels)})
    if is_allowed:
        await room.segments.CreateSegment(request)
        return
    with pytest.raises(Error) as refusal:
        await room.segments.CreateSegment(request)
    assert refusal.value.code == "INVALID_ARGUMENT"


async def test_many_conditions_and_many_values_are_answered(room: Room) -> None:
    await audience(room)
    wanted = [f"plan{index}" for index in range(20_000)] + ["gold"]
    many = {"attribute": {"name": "plan", "operator": "INCLUSIVE", "values": wanted}}
    filters = [many, *[GOLD] * 998]
    segment = await room.create_segment({"group": {"operator": "ALL", "filters": filters}})

    counted = await room.segments.CountSegment(pb.CountSegmentRequest(name=segment.name))
    with pytest.raises(InvalidArgument) as refusal:
        await room.create_segment(
            {"group": {"operator": "ALL", "filters": [*[EVERYBODY] * 2, *[GOLD] * 998]}}
        )

    assert counted.total == 5
    assert refusal.value.reason == "FILTER_TOO_LARGE"


async def test_a_segment_without_a_filter_is_refused(room: Room) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.segments.CreateSegment(
            pb.CreateSegmentRequest(parent=SHOP, segment=segment_pb2.Segment(display_name="x"))
        )

    assert refusal.value.reason == "FILTER_EMPTY"


async def test_a_text_that_cannot_be_stored_is_the_callers_mistake(room: Room) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await room.create_segment(attribute("INCLUSIVE", "fine", "\0"))
    with pytest.raises(InvalidArgument):
        await room.read("a\0b")

    assert refusal.value.violations[0].field == "segment.filter.attribute.values"
