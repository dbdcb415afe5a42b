"""What happened, newest first, a page at a time; and one event by its id. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import ListEventsRequest, RecordedEvent
from mesh.aip.pagination import Key

from analytics import names
from analytics.reports import history
from analytics.reports.sql import Parameters, Statement

ORDER = "event_time, event_id, endpoint_id"


def page(application: str, request: ListEventsRequest, after: Key | None, limit: int) -> Statement:
    """The events older than `after`, a key made by `key`."""
    parameters = Parameters()
    conditions = []
    if request.endpoint_id:
        conditions.append(f"endpoint_id = {parameters.add(request.endpoint_id, 'String')}")
    if request.user_id:
        conditions.append(f"user_id = {parameters.add(request.user_id, 'String')}")
    if after is not None:
        conditions.append(_older(after, parameters))
    happened = history.source(
        application,
        parameters,
        event_types=request.event_types,
        start_time=_time(request, "start_time"),
        end_time=_time(request, "end_time"),
        conditions=conditions,
    )
    text = f"SELECT * FROM {happened} ORDER BY {_descending()} LIMIT {limit}"
    return Statement(text, parameters.values)


def one(application: str, event_id: str, endpoint_id: str) -> Statement:
    """The event of this id; of several endpoints, the newest."""
    parameters = Parameters()
    conditions = [f"event_id = {parameters.add(event_id, 'String')}"]
    if endpoint_id:
        conditions.append(f"endpoint_id = {parameters.add(endpoint_id, 'String')}")
    happened = history.source(application, parameters, conditions=conditions)
    text = f"SELECT * FROM {happened} ORDER BY {_descending()} LIMIT 1"
    return Statement(text, parameters.values)


def key(row: Mapping[str, Any]) -> Key:
    """Where a page ends."""
    return [_micros(row["event_time"]), row["event_id"], row["endpoint_id"]]


def render(application: str, row: Mapping[str, Any]) -> RecordedEvent:
    """A row as the contract has it."""
    event = Event(
        event_id=row["event_id"],
        event_type=row["event_type"],
        event_time=_timestamp(row["event_time"]),
        endpoint_id=row["endpoint_id"],
        user_id=row["user_id"],
        attributes=row["attributes"],
        metrics=row["metrics"],
    )
    _add_session(event, row)
    _add_app(event, row)
    return RecordedEvent(
        # Ids of events that Heliograph makes may hold what ours may not.
        name=names.EVENT.format(application=application, event=row["event_id"]),
        event=event,
        receive_time=_timestamp(row["receive_time"]),
    )


def _add_session(event: Event, row: Mapping[str, Any]) -> None:
    if row["session_id"]:
        event.session.session_id = row["session_id"]
    for field in ("start_time", "stop_time"):
        if _micros(row[f"session_{field}"]):
            getattr(event.session, field).CopyFrom(_timestamp(row[f"session_{field}"]))


def _add_app(event: Event, row: Mapping[str, Any]) -> None:
    for field in Event.App.DESCRIPTOR.fields_by_name:
        if word := row[f"app_{field}"]:
            setattr(event.app, field, word)


def _older(after: Key, parameters: Parameters) -> str:
    micros, event_id, endpoint_id = after
    values = (
        f"fromUnixTimestamp64Micro({parameters.add(micros, 'Int64')}, 'UTC')",
        parameters.add(event_id, "String"),
        parameters.add(endpoint_id, "String"),
    )
    return f"({ORDER}) < ({', '.join(values)})"


def _descending() -> str:
    return ", ".join(f"{column} DESC" for column in ORDER.split(", "))


def _time(request: ListEventsRequest, field: str) -> datetime | None:
    if not request.HasField(field):  # type: ignore[arg-type]  # the stub knows literals alone
        return None
    timestamp: Timestamp = getattr(request, field)
    return timestamp.ToDatetime(UTC)


def _micros(time: datetime) -> int:
    return (time.replace(tzinfo=UTC) - history.EPOCH) // history.MICROSECOND


def _timestamp(time: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(time.replace(tzinfo=UTC))
    return found
