"""Events and funnels for tests."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.event_filter_pb2 import EventFilter
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.funnel_pb2 import Funnel, FunnelStep
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def stamp(time: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(time)
    return found


def event(number: int = 0, event_type: str = "cart.add", **fields: object) -> Event:
    """An event that differs from those of other numbers; by default of one endpoint and user."""
    values: dict[str, object] = {
        "event_id": f"event-{number}",
        "event_type": event_type,
        "event_time": stamp(NOW - timedelta(hours=1) + timedelta(seconds=number)),
        "endpoint_id": "phone",
        "user_id": "ada",
    }
    return Event(**{**values, **fields})  # type: ignore[arg-type]


def message_event(
    number: int, kind: "MessageEvent.Kind.ValueType", run: str, **fields: object
) -> MessageEvent:
    """What became of message `number` of a run."""
    application = run.split("/")[1]
    message_id = f"019a9f8d-7c00-7000-8000-{number:012x}"
    values: dict[str, object] = {
        "event_id": f"{message_id}/{kind}",
        "kind": kind,
        "event_time": stamp(NOW + timedelta(seconds=kind)),
        "message": f"applications/{application}/messages/{message_id}",
        "endpoint": f"applications/{application}/endpoints/e{number}",
        "run": run,
        "treatment": "a",
        "channel_type": channels.SMS,
    }
    return MessageEvent(**{**values, **fields})  # type: ignore[arg-type]


def changed(application: str, *events: MessageEvent) -> MessagesChanged:
    return MessagesChanged(application=application, events=events)


def checkout(*types: str, **fields: object) -> Funnel:
    """A funnel whose steps are events of these types."""
    steps = [FunnelStep(filter=EventFilter(event_type=name)) for name in types]
    return Funnel(steps=steps, **fields)  # type: ignore[arg-type]
