"""What endpoints did, in plain Python: the behaviour half of the evaluator."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from audience_instants import related
from heliograph.audience.v1 import segment_filter_pb2 as pb

OUTCOMES = {
    pb.CampaignCondition.SENT: "_message.sent",
    pb.CampaignCondition.OPENED: "_message.opened",
    pb.CampaignCondition.CLICKED: "_message.clicked",
    pb.CampaignCondition.REPLIED: "_message.replied",
}


@dataclass(frozen=True)
class Happening:
    """One event of an endpoint."""

    endpoint: str
    kind: str
    time: datetime
    words: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """Everything that happened, seen from a moment."""

    now: datetime
    by_endpoint: dict[str, list[Happening]]
    by_user: dict[str, list[str]] = field(default_factory=dict)
    """The endpoints that a user has now."""

    def of_user(self, user_id: str) -> list[Happening]:
        return [one for endpoint in self.by_user[user_id] for one in self.of(endpoint)]

    def of(self, endpoint: str) -> list[Happening]:
        return self.by_endpoint.get(endpoint, [])


def recency(condition: pb.RecencyCondition, did: list[Happening], now: datetime) -> bool:
    is_active = any(
        one.kind == "_session.start" and now - one.time <= condition.window.ToTimedelta()
        for one in did
    )
    return is_active == (condition.activity == pb.RecencyCondition.ACTIVE)


def event(condition: pb.EventCondition, did: list[Happening], now: datetime) -> bool:
    count = sum(
        one.kind == condition.event_type
        and is_recent(condition, one, now)
        and all(has_word(part, one.words.get(part.name)) for part in condition.attributes)
        and all(has_number(part, one.numbers.get(part.name)) for part in condition.metrics)
        for one in did
    )
    least = 0 if condition.HasField("count_max") else 1
    if condition.HasField("count_min"):
        least = condition.count_min
    return count >= least and (not condition.HasField("count_max") or count <= condition.count_max)


def first_seen(condition: pb.FirstSeenCondition, did: list[Happening], now: datetime) -> bool:
    sessions = [one.time for one in did if one.kind == "_session.start"]
    if not sessions:
        return False
    first = min(sessions)
    if condition.HasField("window"):
        return now - first <= condition.window.ToTimedelta()
    fields = {described.name: value for described, value in condition.ListFields()}
    is_late = "from" not in fields or first >= fields["from"].ToDatetime(UTC)
    return is_late and ("until" not in fields or first < fields["until"].ToDatetime(UTC))


def campaign(condition: pb.CampaignCondition, did: list[Happening], now: datetime) -> bool:
    found = any(
        one.kind == OUTCOMES[condition.outcome]
        and is_recent(condition, one, now)
        and f"{one.words['run']}/".startswith(f"{condition.campaign}/")
        and (not condition.answers or one.words.get("answer") in condition.answers)
        for one in did
    )
    return found != condition.negate


def is_recent(condition: Any, one: Happening, now: datetime) -> bool:
    return not condition.HasField("window") or now - one.time <= condition.window.ToTimedelta()


def has_word(part: pb.AttributeCondition, word: str | None) -> bool:
    values, kinds = list(part.values), pb.AttributeCondition
    if part.operator in (kinds.BEFORE, kinds.AFTER, kinds.ON, kinds.BETWEEN):
        return word is not None and related(part, [word])
    return {
        kinds.INCLUSIVE: word in values,
        kinds.EXCLUSIVE: word not in values,
        kinds.CONTAINS: word is not None and any(value in word for value in values),
        kinds.PRESENT: word is not None,
        kinds.ABSENT: word is None,
    }[part.operator]


def has_number(part: pb.MetricCondition, number: float | None) -> bool:
    if number is None:
        return False
    return {
        pb.MetricCondition.EQUAL: number == part.value,
        pb.MetricCondition.GREATER_THAN: number > part.value,
        pb.MetricCondition.GREATER_THAN_OR_EQUAL: number >= part.value,
        pb.MetricCondition.LESS_THAN: number < part.value,
        pb.MetricCondition.LESS_THAN_OR_EQUAL: number <= part.value,
    }[part.comparison]


BEHAVIOURS = {
    "recency": recency,
    "event": event,
    "first_seen": first_seen,
    "campaign": campaign,
}
