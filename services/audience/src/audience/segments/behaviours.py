"""What a filter asks of events, in the words of analytics. Pure.

Analytics answers with sets of endpoints that something happened to; what did not happen is the
opposite of such a set, so that endpoints without any event are on the right side.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1 import event_filter_pb2 as events_pb
from heliograph.audience.v1 import segment_filter_pb2 as pb

from audience import names

SESSION: Final = "_session.start"
OUTCOMES: Final = {
    pb.CampaignCondition.SENT: "_message.sent",
    pb.CampaignCondition.DELIVERED: "_message.delivered",
    pb.CampaignCondition.OPENED: "_message.opened",
    pb.CampaignCondition.CLICKED: "_message.clicked",
    pb.CampaignCondition.REPLIED: "_message.replied",
}
"""What can become of a message, as the type of its event."""
ATTRIBUTE_OPERATORS: Final = {
    pb.AttributeCondition.INCLUSIVE: events_pb.AttributeFilter.INCLUSIVE,
    pb.AttributeCondition.EXCLUSIVE: events_pb.AttributeFilter.EXCLUSIVE,
    pb.AttributeCondition.CONTAINS: events_pb.AttributeFilter.CONTAINS,
    pb.AttributeCondition.PRESENT: events_pb.AttributeFilter.PRESENT,
    pb.AttributeCondition.ABSENT: events_pb.AttributeFilter.ABSENT,
    pb.AttributeCondition.BEFORE: events_pb.AttributeFilter.BEFORE,
    pb.AttributeCondition.AFTER: events_pb.AttributeFilter.AFTER,
    pb.AttributeCondition.ON: events_pb.AttributeFilter.ON,
    pb.AttributeCondition.BETWEEN: events_pb.AttributeFilter.BETWEEN,
}
_COMPARISONS: Final = {
    pb.MetricCondition.EQUAL: events_pb.MetricFilter.EQUAL,
    pb.MetricCondition.GREATER_THAN: events_pb.MetricFilter.GREATER_THAN,
    pb.MetricCondition.GREATER_THAN_OR_EQUAL: events_pb.MetricFilter.GREATER_THAN_OR_EQUAL,
    pb.MetricCondition.LESS_THAN: events_pb.MetricFilter.LESS_THAN,
    pb.MetricCondition.LESS_THAN_OR_EQUAL: events_pb.MetricFilter.LESS_THAN_OR_EQUAL,
}

Sets: TypeAlias = Mapping[bytes, Sequence[str]]
"""Endpoints that meet each condition, by its `key`."""


@dataclass(frozen=True)
class Window:
    """Endpoints that are asked about, and those of them in each set."""

    endpoints: Sequence[str]
    sets: Sets


@dataclass(frozen=True)
class Part:
    """A set of endpoints that a condition wants its members in, or outside of."""

    condition: events_pb.EventCondition
    is_inside: bool
    of_users: bool = False
    """Whether what all endpoints of a user did counts for each of them."""

    @property
    def key(self) -> bytes:
        """The same for the same question."""
        asked = self.condition.SerializeToString(deterministic=True)
        return b"users " + asked if self.of_users else asked

    def once(self) -> "Part":
        """The same, asking for whoever did it at all."""
        condition = events_pb.EventCondition()
        condition.CopyFrom(self.condition)
        condition.at_least = 1
        return replace(self, condition=condition)


Conditions: TypeAlias = Mapping[bytes, Part]
"""What is asked of events, by its `key`; on which side of it somebody must be does not matter."""


def parts(node: str, condition: Any) -> list[Part]:
    """What must all hold for a node that asks of events; nothing, where it is always true."""
    return PARTS[node](condition)


def conditions(question: pb.SegmentFilter) -> dict[bytes, Part]:
    """Every condition that a tree asks of events, each once."""
    return {part.key: part for part in _asked(question)}


def _asked(question: pb.SegmentFilter) -> Iterator[Part]:
    node = str(question.WhichOneof("node"))
    if node in PARTS:
        yield from parts(node, getattr(question, node))
    for inner in question.group.filters:
        yield from _asked(inner)


def _recency(condition: pb.RecencyCondition) -> list[Part]:
    session = events_pb.EventCondition(
        filter=events_pb.EventFilter(event_type=SESSION), window=condition.window
    )
    return [Part(session, condition.activity == pb.RecencyCondition.ACTIVE)]


def _event(condition: pb.EventCondition) -> list[Part]:
    low, high = bounds(condition)
    of_users = condition.scope == pb.EventCondition.USER
    found = []
    if low:
        found.append(Part(_event_condition(condition, low), True, of_users))
    if high is not None:
        found.append(Part(_event_condition(condition, high + 1), False, of_users))
    return found


def bounds(condition: pb.EventCondition) -> tuple[int, int | None]:
    """How often an event must have happened at least, and at most."""
    has_most = condition.HasField("count_max")
    least = condition.count_min if condition.HasField("count_min") else int(not has_most)
    return least, condition.count_max if has_most else None


def _event_condition(condition: pb.EventCondition, least: int) -> events_pb.EventCondition:
    event_filter = events_pb.EventFilter(event_type=condition.event_type)
    for attribute in condition.attributes:
        event_filter.attributes.add(
            key=attribute.name,
            operator=ATTRIBUTE_OPERATORS[attribute.operator],
            values=attribute.values,
        )
    for metric in condition.metrics:
        event_filter.metrics.add(
            key=metric.name, operator=_COMPARISONS[metric.comparison], value=metric.value
        )
    window = condition.window if condition.HasField("window") else None
    return events_pb.EventCondition(filter=event_filter, at_least=least, window=window)


def _first_seen(condition: pb.FirstSeenCondition) -> list[Part]:
    session = events_pb.EventCondition(
        filter=events_pb.EventFilter(event_type=SESSION), first_ever=True
    )
    if condition.HasField("window"):
        session.window.CopyFrom(condition.window)
    # `from` is a word of Python's own.
    for ours, theirs in (("from", "start_time"), ("until", "end_time")):
        if condition.HasField(ours):  # type: ignore[arg-type]  # the stub knows literals alone
            moment: Timestamp = getattr(condition, ours)
            getattr(session, theirs).CopyFrom(moment)
    return [Part(session, is_inside=True)]


def _campaign(condition: pb.CampaignCondition) -> list[Part]:
    ids = names.campaign_of(condition.campaign)
    event_filter = events_pb.EventFilter(event_type=OUTCOMES[condition.outcome])
    for key in ("campaign", "run"):
        if key in ids:
            event_filter.attributes.add(key=key, values=[ids[key]])
    if condition.answers:
        event_filter.attributes.add(key="answer", values=sorted(answers(condition)))
    window = condition.window if condition.HasField("window") else None
    message = events_pb.EventCondition(filter=event_filter, window=window)
    return [Part(message, not condition.negate)]


def answers(condition: pb.CampaignCondition) -> frozenset[str]:
    """The answers that are meant, as twoway writes them; none: all."""
    return frozenset(" ".join(answer.lower().split()) for answer in condition.answers)


PARTS: Final[dict[str, Callable[[Any], list[Part]]]] = {
    "recency": _recency,
    "event": _event,
    "first_seen": _first_seen,
    "campaign": _campaign,
}
"""The nodes that ask of events."""
