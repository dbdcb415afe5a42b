"""Analytics beside audience: its real answers about behaviour, and events put into its store."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from analytics.eventstore.client import EventStore
from analytics.matching.servicer import Matching
from audience.moments import timestamp
from audience_behaviour import OUTCOMES, Happening
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.audience.v1.segment_filter_pb2 import CampaignCondition
from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged
from mesh.testkit.rpc import RpcServe

READ_SIZE = 40
"""So few that a set of a test is read in several pieces."""
KINDS = {
    event_type: MessageEvent.Kind.Value(CampaignCondition.Outcome.Name(outcome))
    for outcome, event_type in OUTCOMES.items()
}


async def serve_analytics(store: EventStore, serve: RpcServe) -> str:
    """The address of the half of analytics that answers about behaviour."""
    matching = Matching(store, lambda: datetime.now(UTC), read_size=READ_SIZE)
    return await serve({"heliograph.analytics.v1.EventService": matching})


async def store(events: EventStore, application: str, happened: Iterable[Happening]) -> None:
    """Put what happened into the store, through the doors of its consumers."""
    of_clients, of_messages = [], []
    for one in happened:
        if one.kind in KINDS:
            of_messages.append(_message(application, one))
        else:
            of_clients.append(_event(one))
    recorded = EventsRecorded(application=application, events=of_clients)
    await events.insert("events_recorded", EventsRecorded, [recorded.SerializeToString()])
    changed = MessagesChanged(application=application, events=of_messages)
    await events.insert("messages_changed", MessagesChanged, [changed.SerializeToString()])


def _event(one: Happening) -> Event:
    return Event(
        event_id=uuid.uuid4().hex,
        event_type=one.kind,
        event_time=timestamp(one.time),
        endpoint_id=one.endpoint,
        attributes=one.words,
        metrics=one.numbers,
    )


def _message(application: str, one: Happening) -> MessageEvent:
    message_id = f"019a9f8d-7c00-7000-8000-{uuid.uuid4().hex[:12]}"
    return MessageEvent(
        event_id=f"{message_id}/{one.kind}",
        kind=KINDS[one.kind],
        event_time=timestamp(one.time),
        message=f"applications/{application}/messages/{message_id}",
        endpoint=f"applications/{application}/endpoints/{one.endpoint}",
        run=one.words["run"],
        context={name: word for name, word in one.words.items() if name != "run"},
    )
