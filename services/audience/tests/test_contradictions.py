"""Filters that nobody can ever match are refused, and only those."""

from typing import Any

import pytest
from audience.segments import checks, contradictions
from audience_evaluator import matches
from audience_segments import GOLD
from google.protobuf.json_format import ParseDict
from heliograph.audience.v1 import segment_filter_pb2 as pb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mesh.errors import Error, InvalidArgument
from test_segments_agree import SEEDS, leaves, stored

SHOP = "applications/shop"
DAY = 86_400


def attribute(operator: str, *values: str, kind: str = "attribute") -> dict[str, Any]:
    return {kind: {"name": "plan", "operator": operator, "values": list(values)}}


def spent(comparison: str, value: float) -> dict[str, Any]:
    return {"metric": {"name": "spent", "comparison": comparison, "value": value}}


def country(*values: str, operator: str = "INCLUSIVE") -> dict[str, Any]:
    return {"location": {"field": "COUNTRY", "operator": operator, "values": list(values)}}


def channel(*types: str, operator: str = "INCLUSIVE") -> dict[str, Any]:
    return {"channel": {"operator": operator, "channel_types": list(types)}}


def active(days: int, activity: str = "ACTIVE") -> dict[str, Any]:
    return {"recency": {"window": f"{days * DAY}s", "activity": activity}}


def bought(**counts: int) -> dict[str, Any]:
    return {"event": {"event_type": "buy", **counts}}


def opened(run: str = "", negate: bool = False, days: int = 0) -> dict[str, Any]:
    window = {"window": f"{days * DAY}s"} if days else {}
    name = f"{SHOP}/campaigns/spring{run}"
    return {"campaign": {"campaign": name, "outcome": "OPENED", "negate": negate, **window}}


def of(operator: str, *segments: str) -> dict[str, Any]:
    listed = [f"{SHOP}/segments/{one}" for one in segments]
    return {"source_segments": {"operator": operator, "segments": listed}}


def group(operator: str, *filters: dict[str, Any]) -> dict[str, Any]:
    return {"group": {"operator": operator, "filters": list(filters)}}


def state(**fields: Any) -> dict[str, Any]:
    return {"state": fields}


def seen(**fields: str) -> dict[str, Any]:
    return {"first_seen": fields}


IMPOSSIBLE = [
    (attribute("ABSENT"), attribute("INCLUSIVE", "gold")),
    (attribute("PRESENT"), group("NONE", attribute("PRESENT"))),
    (attribute("INCLUSIVE", "gold"), attribute("EXCLUSIVE", "gold", "free")),
    (
        attribute("ABSENT", kind="user_attribute"),
        attribute("CONTAINS", "go", kind="user_attribute"),
    ),
    (spent("EQUAL", 1), spent("EQUAL", 2)),
    (spent("GREATER_THAN", 5), spent("LESS_THAN_OR_EQUAL", 5)),
    (spent("LESS_THAN", 3), spent("GREATER_THAN", 4)),
    (country("US"), country("CA")),
    (country("US", "CA"), country("US", "CA", operator="EXCLUSIVE")),
    (channel("SMS"), group("NONE", channel("SMS", "EMAIL"))),
    ({"user": {}}, {"user": {"operator": "EXCLUSIVE"}}),
    ({"user": {"user_ids": ["ann"]}}, {"user": {"user_ids": ["bob"]}}),
    (state(status="ACTIVE"), state(status="INACTIVE")),
    (
        state(created_from="2026-02-01T00:00:00Z"),
        state(created_until="2026-02-01T00:00:00Z"),
    ),
    (active(7), active(30, "INACTIVE")),
    (active(7), group("NONE", active(7))),
    (bought(count_min=3), bought(count_max=2)),
    (seen(until="2026-02-01T00:00:00Z"), seen(**{"from": "2026-03-01T00:00:00Z"})),
    (opened("/runs/r1", days=7), opened(negate=True)),
    (of("ALL", "a", "b"), of("NONE", "b", "c")),
    (GOLD, group("NONE", group("ALL"))),
    (GOLD, group("ALL", group("ANY", country("US")), group("ALL", country("CA")))),
]

POSSIBLE = [
    (attribute("INCLUSIVE", "gold"), attribute("INCLUSIVE", "free")),
    (attribute("ABSENT"), attribute("EXCLUSIVE", "gold")),
    (attribute("ABSENT"), attribute("PRESENT", kind="user_attribute")),
    (spent("GREATER_THAN_OR_EQUAL", 5), spent("LESS_THAN_OR_EQUAL", 5)),
    (spent("EQUAL", 1), {"metric": {"name": "other", "comparison": "EQUAL", "value": 2}}),
    (country("US", "CA"), country("US", operator="EXCLUSIVE")),
    (country("US"), {"location": {"field": "CITY", "values": ["CA"]}}),
    (active(30), active(7, "INACTIVE")),
    (bought(count_min=3), bought(count_max=3)),
    (bought(count_min=3), {"event": {"event_type": "buy", "scope": "USER", "count_max": 2}}),
    (opened(), opened("/runs/r1", negate=True)),
    (opened(days=30), opened(negate=True, days=7)),
    (of("ANY", "a", "b"), of("NONE", "b")),
    (country("US"), group("ANY", country("CA"), GOLD)),
    (country("US"), group("NONE", group("ALL", country("US"), GOLD))),
]


def both(pair: tuple[dict[str, Any], dict[str, Any]]) -> pb.SegmentFilter:
    return ParseDict(group("ALL", *pair), pb.SegmentFilter())


@pytest.mark.parametrize("pair", IMPOSSIBLE)
def test_what_cannot_hold_together_is_refused_with_both_places(pair: Any) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        checks.check("shop", both(pair), "filter")

    (violation,) = refusal.value.violations
    assert refusal.value.reason == "FILTER_CONTRADICTORY"
    assert violation.field.startswith("filter.group.filters[1]")
    assert violation.description.startswith("nobody can ever match it")
    with pytest.raises(InvalidArgument):
        checks.check("shop", both(tuple(reversed(pair))), "filter")


@pytest.mark.parametrize("pair", POSSIBLE)
def test_what_can_hold_together_is_not_refused(pair: Any) -> None:
    checks.check("shop", both(pair), "filter")
    checks.check("shop", both(tuple(reversed(pair))), "filter")


def test_the_place_that_makes_it_impossible_is_named() -> None:
    filters = [country("US", "CA"), GOLD, country("CA", "MX"), country("US", "MX"), country("US")]

    with pytest.raises(InvalidArgument) as refusal:
        checks.check("shop", ParseDict(group("ALL", *filters), pb.SegmentFilter()), "filter")

    (violation,) = refusal.value.violations
    assert violation.field == "filter.group.filters[3].location"
    assert violation.description == (
        "nobody can ever match it together with 2 conditions before it,"
        " from filter.group.filters[0].location on"
    )


def test_one_of_several_ways_is_enough_only_if_it_is_one() -> None:
    never = group("ALL", country("US"), country("CA"))

    with pytest.raises(InvalidArgument) as refusal:
        checks.check("shop", ParseDict(group("ANY", GOLD, never), pb.SegmentFilter()), "filter")

    assert refusal.value.violations[0].field == (
        "filter.group.filters[1].group.filters[1].location"
    )


certain = st.recursive(
    leaves,
    lambda inner: st.builds(
        pb.SegmentFilter,
        group=st.builds(
            pb.FilterGroup,
            operator=st.sampled_from([pb.FilterGroup.ALL, pb.FilterGroup.NONE]),
            filters=st.lists(inner, min_size=1, max_size=4),
        ),
    ),
    max_leaves=10,
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(question=certain, seed=st.sampled_from(SEEDS))
async def test_whatever_is_refused_has_no_member(
    question: pb.SegmentFilter, seed: int, reading: Any
) -> None:
    try:
        contradictions.check(question, "filter")
    except Error:
        states, users = await stored(reading, f"shop{seed}", seed)
        assert not any(matches(question, one, users) for one in states)
