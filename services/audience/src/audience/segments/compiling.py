"""A filter tree as one SQL condition over `endpoint e` and its `user_profile u`.

The one place where segments become SQL: count, preview, membership and streaming all ask it. Every
value is a parameter, and every condition is true or false, never NULL, so that NOT means not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from heliograph.audience.v1 import segment_filter_pb2 as pb
from heliograph.instants import read

from audience.segments import behaviours, instants, lists
from audience.segments.behaviours import Sets
from audience.segments.lists import Reading

EARTH_RADIUS_KILOMETERS: Final = 6371.0088
# Above this PostgreSQL looks a value up by hash instead of comparing with each.
_VALUES_COMPARED_MAX: Final = 8

_COMPARISONS: Final = {
    pb.MetricCondition.EQUAL: "=",
    pb.MetricCondition.GREATER_THAN: ">",
    pb.MetricCondition.GREATER_THAN_OR_EQUAL: ">=",
    pb.MetricCondition.LESS_THAN: "<",
    pb.MetricCondition.LESS_THAN_OR_EQUAL: "<=",
}
_INSTANT_CONDITIONS: Final = {
    pb.AttributeCondition.BEFORE: "{value} < (SELECT max(bound) FROM unnest({bounds}) AS bound)",
    pb.AttributeCondition.AFTER: "{value} > (SELECT min(bound) FROM unnest({bounds}) AS bound)",
    pb.AttributeCondition.ON: (
        "{value}::date = ANY(ARRAY(SELECT bound::date FROM unnest({bounds}) AS bound))"
    ),
    pb.AttributeCondition.BETWEEN: "{value} BETWEEN ({bounds})[1] AND ({bounds})[2]",
}


@dataclass(frozen=True)
class Question:
    """A condition, its parameters from `$1` on, and whether it asks about users."""

    condition: str
    parameters: tuple[Any, ...]
    asks_users: bool


def compiled(
    question: pb.SegmentFilter,
    *,
    given: Sequence[Any] = (),
    sets: Sets | None = None,
    reading: Reading = Reading.ALL,
) -> Question:
    """The SQL of a filter that `checks.check` has passed; parameters follow those `given`.

    What endpoints did is not known here: `sets` says, for each of `behaviours.conditions`, which of
    the endpoints that are asked about meet it.
    """
    compiler = _Compiler(list(given), sets or {}, reading)
    condition = compiler.condition(question)
    return Question(condition, tuple(compiler.parameters), compiler.asks_users)


class _Compiler:
    def __init__(self, parameters: list[Any], sets: Sets, reading: Reading) -> None:
        self.parameters = parameters
        self.asks_users = False
        self.reading = reading
        self.must_hold = True
        """Whether whoever is asked about must meet, or must not meet, the condition at hand."""
        self._sets = sets
        self._insides: dict[bytes, str] = {}

    def condition(self, question: pb.SegmentFilter) -> str:
        """SQL of one node, in brackets where it needs them."""
        node = str(question.WhichOneof("node"))
        asked = getattr(question, node)
        if node in behaviours.PARTS:
            return self._behaviour(behaviours.parts(node, asked))
        return _CONDITIONS[node](self, asked)

    def _behaviour(self, parts: Sequence[behaviours.Part]) -> str:
        signed = [
            self._inside(part.key) if part.is_inside else f"NOT {self._inside(part.key)}"
            for part in parts
        ]
        return f"({' AND '.join(signed)})" if signed else "true"

    def _inside(self, key: bytes) -> str:
        """Whether the endpoint is in a set; each set is one parameter, however often asked."""
        if key not in self._insides:
            ids = self.parameter(list(self._sets[key]), "text[]")
            self._insides[key] = f"e.endpoint = ANY({ids})"
        return self._insides[key]

    def parameter(self, value: object, kind: str) -> str:
        """A value as a parameter of an SQL type."""
        self.parameters.append(value)
        return f"${len(self.parameters)}::{kind}"


def _group(compiler: _Compiler, group: pb.FilterGroup) -> str:
    inner = [_part(compiler, group, one) for one in group.filters]
    if not inner:
        return "true"
    if group.operator == pb.FilterGroup.ALL:
        return f"({' AND '.join(inner)})"
    any_of = f"({' OR '.join(inner)})"
    return any_of if group.operator == pb.FilterGroup.ANY else f"(NOT {any_of})"


def _part(compiler: _Compiler, group: pb.FilterGroup, one: pb.SegmentFilter) -> str:
    must_hold = compiler.must_hold
    # None of some is not the one and not the other.
    is_apart = group.operator == pb.FilterGroup.NONE and one.WhichOneof("node") != "group"
    is_all = group.operator == pb.FilterGroup.ALL or len(group.filters) == 1
    compiler.must_hold = must_hold and (is_all or is_apart)
    condition = compiler.condition(one)
    compiler.must_hold = must_hold
    return condition


def _attribute(compiler: _Compiler, condition: pb.AttributeCondition) -> str:
    return _values_condition(compiler, condition, "e.attributes")


def _user_attribute(compiler: _Compiler, condition: pb.AttributeCondition) -> str:
    compiler.asks_users = True
    return _values_condition(compiler, condition, "u.attributes")


def _values_condition(compiler: _Compiler, condition: pb.AttributeCondition, column: str) -> str:
    kinds = pb.AttributeCondition
    name = compiler.parameter(condition.name, "text")
    values = f"{column} -> {name}"
    if condition.operator == kinds.PRESENT:
        return f"coalesce({column} ? {name}, false)"
    if condition.operator == kinds.ABSENT:
        return f"(NOT coalesce({column} ? {name}, false))"
    if condition.operator in (kinds.INCLUSIVE, kinds.EXCLUSIVE):
        one_of = _one_of_values(compiler, list(condition.values), values)
        return one_of if condition.operator == kinds.INCLUSIVE else f"(NOT {one_of})"
    if condition.operator == kinds.CONTAINS:
        parts = compiler.parameter(list(condition.values), "text[]")
        return _any_value(
            values, f"EXISTS (SELECT FROM unnest({parts}) AS part WHERE strpos(value, part) > 0)"
        )
    bounds = compiler.parameter([read(text) for text in condition.values], "timestamptz[]")
    template = _INSTANT_CONDITIONS[condition.operator]
    return _any_value(values, template.format(value=f"({instants.sql('value')})", bounds=bounds))


def _one_of_values(compiler: _Compiler, wanted: list[str], values: str) -> str:
    parameter = compiler.parameter(wanted, "text[]")
    if len(wanted) <= _VALUES_COMPARED_MAX:
        return f"coalesce({values} ?| {parameter}, false)"
    return _any_value(values, f"value = ANY({parameter})")


def _any_value(values: str, condition: str) -> str:
    return (
        f"EXISTS (SELECT FROM jsonb_array_elements_text({values}) AS listed (value)"
        f" WHERE {condition})"
    )


def _metric(compiler: _Compiler, condition: pb.MetricCondition) -> str:
    name = compiler.parameter(condition.name, "text")
    value = compiler.parameter(condition.value, "float8")
    comparison = _COMPARISONS[condition.comparison]
    return f"coalesce((e.metrics ->> {name})::float8 {comparison} {value}, false)"


def _demographic(compiler: _Compiler, condition: pb.DemographicCondition) -> str:
    field = pb.DemographicCondition.Field.Name(condition.field).lower()
    return _one_of(compiler, f"e.demographic ->> '{field}'", condition)


def _location(compiler: _Compiler, condition: pb.LocationCondition) -> str:
    field = pb.LocationCondition.Field.Name(condition.field).lower()
    return _one_of(compiler, f"e.location ->> '{field}'", condition)


def _one_of(
    compiler: _Compiler, text: str, condition: pb.DemographicCondition | pb.LocationCondition
) -> str:
    values = compiler.parameter(list(condition.values), "text[]")
    return _signed(f"coalesce({text} = ANY({values}), false)", condition.operator)


def _distance(compiler: _Compiler, condition: pb.DistanceCondition) -> str:
    """Haversine. Coordinates come in pairs; NULL would get past `least`, which leaves it out."""
    latitude = compiler.parameter(condition.center.latitude, "float8")
    longitude = compiler.parameter(condition.center.longitude, "float8")
    radius = compiler.parameter(condition.radius_kilometers, "float8")
    there = "(e.location ->> 'latitude')::float8"
    across = f"radians((e.location ->> 'longitude')::float8 - {longitude})"
    chord = (
        f"power(sin(radians({there} - {latitude}) / 2), 2)"
        f" + cos(radians({latitude})) * cos(radians({there})) * power(sin({across} / 2), 2)"
    )
    distance = f"{2 * EARTH_RADIUS_KILOMETERS} * asin(least(1, sqrt({chord})))"
    return f"(e.location ? 'latitude' AND {distance} <= {radius})"


def _channel(compiler: _Compiler, condition: pb.ChannelCondition) -> str:
    numbers = compiler.parameter(list(condition.channel_types), "smallint[]")
    return _signed(f"e.channel_type = ANY({numbers})", condition.operator)


def _state(compiler: _Compiler, condition: pb.StateCondition) -> str:
    parts = []
    moments = {field.name: value for field, value in condition.ListFields()}
    if condition.status:
        parts.append(f"e.status = {compiler.parameter(condition.status, 'smallint')}")
    if condition.opt_out:
        parts.append(f"e.opt_out = {compiler.parameter(condition.opt_out, 'smallint')}")
    for field, column, comparison in (
        ("created_from", "e.create_time", ">="),
        ("created_until", "e.create_time", "<"),
        ("updated_from", "e.update_time", ">="),
        ("updated_until", "e.update_time", "<"),
    ):
        if field in moments:
            moment = moments[field].ToDatetime(tzinfo=UTC)
            parts.append(f"{column} {comparison} {compiler.parameter(moment, 'timestamptz')}")
    return f"({' AND '.join(parts)})"


def _user(compiler: _Compiler, condition: pb.UserCondition) -> str:
    if not condition.user_ids:
        return _signed("e.user_id <> ''", condition.operator)
    user_ids = compiler.parameter(list(condition.user_ids), "text[]")
    return _signed(f"e.user_id = ANY({user_ids})", condition.operator)


def _lists(compiler: _Compiler, asked: pb.SourceSegments) -> str:
    must_hold = compiler.must_hold and len(asked.segments) == 1
    listed = []
    for name in asked.segments:
        members = lists.members(name)
        import_job = compiler.parameter(members.import_job, "text")
        listed.append(lists.sql(members, import_job, compiler.reading, must_hold=must_hold))
    return f"({' OR '.join(listed)})"


def _signed(condition: str, operator: int) -> str:
    return f"(NOT {condition})" if operator == pb.EXCLUSIVE else f"({condition})"


_CONDITIONS: Final[dict[str, Callable[[_Compiler, Any], str]]] = {
    "group": _group,
    "attribute": _attribute,
    "user_attribute": _user_attribute,
    "metric": _metric,
    "demographic": _demographic,
    "location": _location,
    "distance": _distance,
    "channel": _channel,
    "state": _state,
    "user": _user,
    "source_segments": _lists,
}
