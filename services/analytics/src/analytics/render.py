"""Rows of PostgreSQL as the contract has them. Pure."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.event_type_pb2 import EventKey, EventType
from heliograph.analytics.v1.funnel_pb2 import Funnel
from mesh.aip import etags

from analytics import names
from analytics.tables import EventNameRow, FunnelRow


def event_type(row: EventNameRow) -> EventType:
    """A registered event type."""
    return EventType(
        name=names.EVENT_TYPE.format(application=row.application, event_type=row.name),
        description=row.description,
        archived=row.archived,
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        etag=etags.render(row.revision),
    )


def event_key(row: EventNameRow) -> EventKey:
    """A registered attribute or metric key."""
    return EventKey(
        key=row.name, kind=EventKey.Kind.Value(row.kind), create_time=timestamp(row.create_time)
    )


def funnel(row: FunnelRow) -> Funnel:
    """A kept funnel."""
    found = Funnel.FromString(row.definition)
    found.name = names.FUNNEL.format(application=row.application, funnel=row.funnel)
    found.create_time.CopyFrom(timestamp(row.create_time))
    found.update_time.CopyFrom(timestamp(row.update_time))
    found.etag = etags.render(row.revision)
    return found


def definition(written: Funnel) -> bytes:
    """The part of a funnel that its author writes."""
    kept = Funnel(display_name=written.display_name, steps=written.steps, subject=written.subject)
    if written.HasField("window"):
        kept.window.CopyFrom(written.window)
    return kept.SerializeToString(deterministic=True)


def timestamp(time: datetime) -> Timestamp:
    """A moment as protobuf."""
    found = Timestamp()
    found.FromDatetime(time)
    return found
