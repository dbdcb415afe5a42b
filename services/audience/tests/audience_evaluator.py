"""The filter tree in plain Python, written apart from the compiler, to hold the SQL against."""

import math
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from audience.endpoints.states import State
from audience_behaviour import BEHAVIOURS, History
from audience_instants import related
from heliograph.audience.v1 import segment_filter_pb2 as pb

Attributes = dict[str, list[str]]


@dataclass(frozen=True)
class Listed:
    """A segment whose members an import brought."""

    endpoints: frozenset[str]
    user_ids: frozenset[str]

    def has(self, state: State) -> bool:
        return state.endpoint in self.endpoints or state.user_id in self.user_ids


Library = dict[str, pb.SegmentFilter | Listed]


def matches(
    question: pb.SegmentFilter,
    state: State,
    users: dict[str, Attributes],
    history: History | None = None,
    segments: Library | None = None,
) -> bool:
    """Whether the endpoint is what the filter asks for."""
    node = question.WhichOneof("node")
    condition: Any = getattr(question, node)
    if node == "group":
        inner = [matches(one, state, users, history, segments) for one in condition.filters]
        return joined(condition.operator, inner)
    if node == "source_segments":
        assert segments is not None
        of = [segments[name] for name in condition.segments]
        inner = [
            one.has(state)
            if isinstance(one, Listed)
            else matches(one, state, users, history, segments)
            for one in of
        ]
        return joined(condition.operator, inner)
    if node in BEHAVIOURS:
        assert history is not None
        did = history.of(state.endpoint)
        if node == "event" and condition.scope == pb.EventCondition.USER and state.user_id:
            did = history.of_user(state.user_id)
        return BEHAVIOURS[node](condition, did, history.now)
    if node == "attribute":
        return attribute(condition, state.attributes)
    if node == "user_attribute":
        return attribute(condition, users.get(state.user_id, {}))
    if node == "metric":
        return metric(condition, state.metrics)
    if node in ("demographic", "location"):
        name = type(condition).Field.Name(condition.field).lower()
        return signed(getattr(state, node).get(name) in list(condition.values), condition)
    if node == "distance":
        return distance(condition, state.location)
    if node == "channel":
        return signed(state.channel_type in list(condition.channel_types), condition)
    if node == "user":
        known = state.user_id in list(condition.user_ids) if condition.user_ids else state.user_id
        return signed(bool(known), condition)
    assert node == "state"
    return has_state(condition, state)


def joined(operator: int, inner: list[bool]) -> bool:
    if operator == pb.FilterGroup.NONE:
        return not any(inner)
    return all(inner) if operator == pb.FilterGroup.ALL else any(inner)


def signed(found: bool, condition: Any) -> bool:
    return not found if condition.operator == pb.EXCLUSIVE else found


def attribute(condition: pb.AttributeCondition, attributes: Attributes) -> bool:
    kinds = pb.AttributeCondition
    values, wanted = attributes.get(condition.name, []), list(condition.values)
    if condition.operator == kinds.PRESENT:
        return condition.name in attributes
    if condition.operator == kinds.ABSENT:
        return condition.name not in attributes
    if condition.operator == kinds.INCLUSIVE:
        return any(value in wanted for value in values)
    if condition.operator == kinds.EXCLUSIVE:
        return not any(value in wanted for value in values)
    if condition.operator == kinds.CONTAINS:
        return any(part in value for value in values for part in wanted)
    return related(condition, values)


def metric(condition: pb.MetricCondition, metrics: dict[str, float]) -> bool:
    value = metrics.get(condition.name)
    if value is None:
        return False
    return {
        pb.MetricCondition.EQUAL: value == condition.value,
        pb.MetricCondition.GREATER_THAN: value > condition.value,
        pb.MetricCondition.GREATER_THAN_OR_EQUAL: value >= condition.value,
        pb.MetricCondition.LESS_THAN: value < condition.value,
        pb.MetricCondition.LESS_THAN_OR_EQUAL: value <= condition.value,
    }[condition.comparison]


def distance(condition: pb.DistanceCondition, location: dict[str, Any]) -> bool:
    """The law of cosines, which the SQL does not use."""
    if "latitude" not in location:
        return False
    here = math.radians(condition.center.latitude), math.radians(condition.center.longitude)
    there = math.radians(location["latitude"]), math.radians(location["longitude"])
    cosine = math.sin(here[0]) * math.sin(there[0]) + math.cos(here[0]) * math.cos(
        there[0]
    ) * math.cos(here[1] - there[1])
    return 6371.0088 * math.acos(max(-1.0, min(1.0, cosine))) <= condition.radius_kilometers


def has_state(condition: pb.StateCondition, state: State) -> bool:
    asked = [
        not condition.status or state.status == condition.status,
        not condition.opt_out or state.opt_out == condition.opt_out,
    ]
    for field, value in condition.ListFields():
        if field.name in ("status", "opt_out"):
            continue
        moment = value.ToDatetime(tzinfo=UTC)
        stored = state.create_time if field.name.startswith("created") else state.update_time
        asked.append(stored >= moment if field.name.endswith("from") else stored < moment)
    return all(asked)
