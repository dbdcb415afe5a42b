"""Questions a segment may ask, and those refused with their path."""

from typing import Any

import pytest
from audience.segments import attribute_checks
from audience_room import SHOP, Room
from audience_segments import EVERYBODY, GOLD, audience
from heliograph.audience.v1 import segment_filter_pb2, segment_pb2
from heliograph.audience.v1 import segment_service_pb2 as pb
from mesh.errors import Error, InvalidArgument


def nested(levels: int) -> segment_filter_pb2.SegmentFilter:
    question = segment_filter_pb2.SegmentFilter(**GOLD)
    for _ in range(levels):
        question = segment_filter_pb2.SegmentFilter(
            group={"operator": "ALL", "filters": [question]}
        )
    return question


def attribute(operator: str, *given: str) -> dict[str, Any]:
    return {"attribute": {"name": "joined", "operator": operator, "values": list(given)}}


def attributes(operator: str, *given: str) -> dict[str, Any]:
    return {"attributes": [attribute(operator, *given)["attribute"]]}


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
        (
            {"event": {"event_type": "buy", **attributes("BEFORE", "tomorrow")}},
            "FILTER_INSTANT_INVALID",
            "event.attributes[0].values[0]",
        ),
        (
            {"event": {"event_type": "buy", **attributes("INCLUSIVE")}},
            "FILTER_VALUES_COUNT",
            "event.attributes[0].values",
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


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (attribute("BETWEEN", "2026-01-01"), "BETWEEN takes two values, not 1"),
        (attribute("PRESENT", "x"), "PRESENT takes no values, not 1"),
        (attribute("INCLUSIVE"), "INCLUSIVE takes at least one value, not 0"),
    ],
)
def test_how_many_values_an_operator_takes_is_said(condition: dict[str, Any], words: str) -> None:
    asked = segment_filter_pb2.AttributeCondition(**condition["attribute"])

    with pytest.raises(InvalidArgument, match=words):
        attribute_checks.check(asked, "filter.attribute")
