"""An EventCondition as one SELECT of endpoint ids, in the order of their bytes. Pure.

Streaming all and asking for some endpoints differ in the ids they look at, and in nothing else but
that the latter also says how often it happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter, EventCondition, EventFilter
from heliograph.messaging.v1.events_pb2 import MessageEvent
from mesh.errors import InvalidArgument
from mesh.errors.refusals import invalid

from analytics.reports import filters, history
from analytics.reports.sql import Parameters, Statement

_COLUMNS = {"campaign": "campaign_id", "run": "run_id"}
"""Attributes of message events that are columns of their table, and the first of its key."""
_ENDS: tuple[Literal["start_time", "end_time"], ...] = ("start_time", "end_time")


@dataclass(frozen=True)
class Asked:
    """A condition of an application, and until when what was received counts."""

    application: str
    condition: EventCondition
    read_time: datetime


def check(condition: EventCondition, field: str = "condition") -> None:
    """Refuse (FILTER_INVALID, INTERVAL_INVALID) a condition that contradicts itself."""
    filters.check(condition.filter, f"{field}.filter")
    if condition.HasField("window") and condition.window.ToNanoseconds() <= 0:
        raise _invalid(f"{field}.window", "the window must be longer than nothing")
    ends = [_time(getattr(condition, end)) for end in _ENDS if condition.HasField(end)]
    if len(ends) == len(_ENDS) and ends[0] >= ends[1]:
        raise _invalid(f"{field}.start_time", "the start must be before the end")


def after(asked: Asked, last: str, limit: int) -> Statement:
    """The next so many ids that are greater than `last`."""
    parameters = Parameters()
    wanted = f"endpoint_id > {parameters.add(last, 'String')}"
    text = _select(asked, "endpoint_id", wanted, parameters)
    return Statement(f"{text} LIMIT {parameters.add(limit, 'UInt32')}", parameters.values)


def among(asked: Asked, endpoint_ids: Sequence[str]) -> Statement:
    """Those of these ids, and as `happened` how many of the events each has."""
    parameters = Parameters()
    wanted = f"endpoint_id IN {parameters.add(list(endpoint_ids), 'Array(String)')}"
    columns = "endpoint_id, {counted} AS happened"
    return Statement(_select(asked, columns, wanted, parameters), parameters.values)


def _select(asked: Asked, columns: str, wanted: str, parameters: Parameters) -> str:
    condition = asked.condition
    # Whether an event is the first one ever can be told only when all are looked at.
    span = (None, None) if condition.first_ever else (_start(asked), _end(condition))
    happened = history.source(
        asked.application,
        parameters,
        event_types=[condition.filter.event_type],
        start_time=span[0],
        end_time=span[1],
        conditions=[
            wanted,
            f"receive_time <= {history.instant(asked.read_time, parameters)}",
            *_columns(condition.filter, parameters),
        ],
    )
    count_min = parameters.add(max(condition.at_least, 1), "UInt64")
    within = _within("event_time", asked, parameters) if condition.first_ever else []
    counted = f"countIf({' AND '.join(within)})" if within else "count()"
    firsts = _within("min(event_time)", asked, parameters) if condition.first_ever else []
    return (
        f"SELECT {columns.format(counted=counted)} FROM {happened}"
        f" WHERE {filters.condition(condition.filter, parameters)}"
        f" GROUP BY endpoint_id HAVING {' AND '.join([f'{counted} >= {count_min}', *firsts])}"
        " ORDER BY endpoint_id"
    )


def _columns(event_filter: EventFilter, parameters: Parameters) -> list[str]:
    """What the filter says about columns of `message_events`, so that little of it is read."""
    kind = event_filter.event_type.removeprefix(history.MESSAGE_PREFIX).upper()
    if kind == event_filter.event_type.upper() or kind not in MessageEvent.Kind.keys():  # noqa: SIM118
        return []
    found = [f"kind = {parameters.add(MessageEvent.Kind.Value(kind), 'Int16')}"]
    for part in event_filter.attributes:
        is_one_of = part.operator in (AttributeFilter.INCLUSIVE, 0)
        if part.key in _COLUMNS and is_one_of:
            values = parameters.add(list(part.values), "Array(String)")
            found.append(f"{_COLUMNS[part.key]} IN {values}")
    return found


def _within(time: str, asked: Asked, parameters: Parameters) -> list[str]:
    start, end = _start(asked), _end(asked.condition)
    parts = []
    if start is not None:
        parts.append(f"{time} >= {history.instant(start, parameters)}")
    if end is not None:
        parts.append(f"{time} < {history.instant(end, parameters)}")
    return parts


def _start(asked: Asked) -> datetime | None:
    """The later of the start and of the beginning of the window."""
    condition = asked.condition
    starts = [_time(condition.start_time)] if condition.HasField("start_time") else []
    if condition.HasField("window"):
        # A window of more than all of time is one of all time.
        length = min(condition.window.ToTimedelta(), asked.read_time - history.EPOCH)
        starts.append(asked.read_time - length)
    return max(starts, default=None)


def _end(condition: EventCondition) -> datetime | None:
    return _time(condition.end_time) if condition.HasField("end_time") else None


def _time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)


def _invalid(field: str, description: str) -> InvalidArgument:
    return invalid("INTERVAL_INVALID", field, description)
