"""Whether an endpoint could meet several conditions about the same thing. Pure.

Conditions are about the same thing, a facet, when they ask for the same field, name or event. Those
that say nothing certain, such as one that must not contain a text, are left out.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from heliograph.audience.v1 import channel_type_pb2, endpoint_pb2
from heliograph.audience.v1 import segment_filter_pb2 as pb

from audience.segments import behaviours

_A: Final = pb.AttributeCondition
_CHANNELS: Final = frozenset(channel_type_pb2.ChannelType.values()) - {0}
_STATUSES: Final = frozenset(endpoint_pb2.Endpoint.Status.values()) - {0}
_OPT_OUTS: Final = frozenset(endpoint_pb2.Endpoint.OptOut.values()) - {0}


class Asked(NamedTuple):
    """A condition, and whether it must hold or must not."""

    condition: Any
    holds: bool


def facet(node: str, asked: Asked) -> Hashable:
    """What a condition is about, within its kind."""
    condition = asked.condition
    if node in ("attribute", "user_attribute", "metric"):
        return str(condition.name)
    if node in ("demographic", "location"):
        return int(condition.field)
    if node == "event":
        same = pb.EventCondition()
        same.CopyFrom(condition)
        same.ClearField("count_min")
        same.ClearField("count_max")
        return same.SerializeToString(deterministic=True)
    return int(condition.outcome) if node == "campaign" else ""


def says(node: str, asked: Asked) -> bool:
    """Whether a condition says anything certain here."""
    if node not in _POSSIBLE:
        return False
    if node in ("metric", "state", "first_seen", "event"):
        return asked.holds
    if node in ("attribute", "user_attribute"):
        return asked.holds or asked.condition.operator in _OPPOSITES
    return node != "source_segments" or bool(_sources(asked))


def is_possible(node: str, asked: Sequence[Asked]) -> bool:
    """Whether an endpoint could meet all of these conditions about one facet."""
    return _POSSIBLE[node](asked)


def _set(all_values: frozenset[Any] | None, values: str) -> Callable[[Sequence[Asked]], bool]:
    """One value that must be in some sets and outside of others."""

    def possible(asked: Sequence[Asked]) -> bool:
        left, refused = all_values, set()
        for condition, holds in asked:
            given = set(getattr(condition, values))
            if (condition.operator == pb.EXCLUSIVE) == holds:
                refused |= given
            else:
                left = frozenset(given) if left is None else left & given
        return left is None or bool(left - refused)

    return possible


def _users(asked: Sequence[Asked]) -> bool:
    """A condition without ids asks whether there is one: whoever has none has the id ''."""
    left: set[str] | None = None
    refused: set[str] = set()
    for condition, holds in asked:
        is_refused = (condition.operator == pb.EXCLUSIVE) == holds
        if not condition.user_ids:
            is_refused = not is_refused
        given = set(condition.user_ids) or {""}
        if is_refused:
            refused |= given
        else:
            left = given if left is None else left & given
    return left is None or bool(left - refused)


_OPPOSITES: Final = {
    _A.INCLUSIVE: _A.EXCLUSIVE,
    _A.EXCLUSIVE: _A.INCLUSIVE,
    _A.PRESENT: _A.ABSENT,
    _A.ABSENT: _A.PRESENT,
}


def _attribute(asked: Sequence[Asked]) -> bool:
    """Several values may each meet a condition, but none may be there that is refused."""
    wanted: list[set[str]] = []
    refused: set[str] = set()
    kinds = set()
    for condition, holds in asked:
        operator = condition.operator if holds else _OPPOSITES[condition.operator]
        kinds.add(operator)
        if operator == _A.INCLUSIVE:
            wanted.append(set(condition.values))
        elif operator == _A.EXCLUSIVE:
            refused |= set(condition.values)
    is_absent = _A.ABSENT in kinds
    return not (is_absent and kinds - {_A.ABSENT, _A.EXCLUSIVE}) and all(
        one - refused for one in wanted
    )


def _metric(asked: Sequence[Asked]) -> bool:
    conditions, kinds = [one.condition for one in asked], pb.MetricCondition
    above = (kinds.EQUAL, kinds.GREATER_THAN, kinds.GREATER_THAN_OR_EQUAL)
    below = (kinds.EQUAL, kinds.LESS_THAN, kinds.LESS_THAN_OR_EQUAL)
    low = max((one.value for one in conditions if one.comparison in above), default=-math.inf)
    high = min((one.value for one in conditions if one.comparison in below), default=math.inf)
    left_out = {
        one.value for one in conditions if one.comparison in (kinds.GREATER_THAN, kinds.LESS_THAN)
    }
    return low < high or (low == high and low not in left_out)


def _state(asked: Sequence[Asked]) -> bool:
    conditions = [one.condition for one in asked]
    statuses = [{one.status} for one in conditions if one.status]
    opt_outs = [{one.opt_out} for one in conditions if one.opt_out]
    return (
        bool(set(_STATUSES).intersection(*statuses))
        and bool(set(_OPT_OUTS).intersection(*opt_outs))
        and _span(conditions, "created_from", "created_until")
        and _span(conditions, "updated_from", "updated_until")
    )


def _first_seen(asked: Sequence[Asked]) -> bool:
    return _span([one.condition for one in asked], "from", "until")


def _span(conditions: Sequence[Any], begin: str, end: str) -> bool:
    """Whether a moment is at or after all of one end and before all of the other."""
    latest, earliest = _moments(conditions, begin), _moments(conditions, end)
    return not latest or not earliest or max(latest) < min(earliest)


def _moments(conditions: Sequence[Any], field: str) -> list[int]:
    return [getattr(one, field).ToNanoseconds() for one in conditions if one.HasField(field)]


def _recency(asked: Sequence[Asked]) -> bool:
    """Active within a time, and not within a longer one."""
    active: list[int] = []
    idle: list[int] = []
    for condition, holds in asked:
        is_active = (condition.activity == pb.RecencyCondition.ACTIVE) == holds
        (active if is_active else idle).append(condition.window.ToNanoseconds())
    return not active or not idle or max(idle) < min(active)


def _event(asked: Sequence[Asked]) -> bool:
    bounds = [behaviours.bounds(condition) for condition, _ in asked]
    most = min((high for _, high in bounds if high is not None), default=None)
    return most is None or max(low for low, _ in bounds) <= most


def _campaign(asked: Sequence[Asked]) -> bool:
    """Something became of a message of a run, and nothing of any of its campaign; or somebody gave
    an answer, and none of several that it is one of."""
    was: list[tuple[str, float, frozenset[str]]] = []
    was_not: list[tuple[str, float, frozenset[str]]] = []
    for condition, holds in asked:
        window = condition.window.ToNanoseconds() if condition.HasField("window") else math.inf
        said = behaviours.answers(condition)
        (was_not if condition.negate == holds else was).append((condition.campaign, window, said))
    return not any(
        f"{name}/".startswith(f"{other}/")
        and longer >= window
        and (not unsaid or (said and said <= unsaid))
        for name, window, said in was
        for other, longer, unsaid in was_not
    )


def _source_segments(asked: Sequence[Asked]) -> bool:
    members = {name for one in asked for name, is_member in _sources(one) if is_member}
    others = {name for one in asked for name, is_member in _sources(one) if not is_member}
    return members.isdisjoint(others)


def _sources(asked: Asked) -> Iterable[tuple[str, bool]]:
    """The segments that somebody is certainly in, or certainly not in."""
    condition, holds = asked
    is_none = condition.operator == pb.FilterGroup.NONE
    is_all = condition.operator == pb.FilterGroup.ALL
    is_member = holds != is_none
    is_certain = len(condition.segments) == 1 or (holds if is_all or is_none else not holds)
    return [(name, is_member) for name in condition.segments] if is_certain else []


_POSSIBLE: Final[dict[str, Callable[[Sequence[Asked]], bool]]] = {
    "group": lambda _: False,  # nobody is outside of everybody
    "attribute": _attribute,
    "user_attribute": _attribute,
    "metric": _metric,
    "demographic": _set(None, "values"),
    "location": _set(None, "values"),
    "channel": _set(_CHANNELS, "channel_types"),
    "state": _state,
    "user": _users,
    "recency": _recency,
    "event": _event,
    "first_seen": _first_seen,
    "campaign": _campaign,
    "source_segments": _source_segments,
}
