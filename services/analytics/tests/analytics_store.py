"""Events in and out: by the front door, or straight into the store."""

from analytics.consumers import HEARD
from analytics_samples import NOW, changed, stamp
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged
from mesh.testkit import eventually


async def store_events(event_store, application: str, *events: Event) -> None:
    """Straight into the store, through the door that the consumer uses."""
    recorded = EventsRecorded(application=application, events=events, receive_time=stamp(NOW))
    await event_store.insert(
        HEARD[EventsRecorded][1], EventsRecorded, [recorded.SerializeToString()]
    )


async def store_messages(event_store, application: str, *events: MessageEvent) -> None:
    await event_store.insert(
        HEARD[MessagesChanged][1],
        MessagesChanged,
        [changed(application, *events).SerializeToString()],
    )


async def listed(service, application: str, **fields) -> list[Event]:
    request = pb.ListEventsRequest(parent=f"applications/{application}", **fields)
    return [found.event for found in (await service.events.ListEvents(request)).events]


async def stored(service, application: str, count: int) -> list[Event]:
    async def enough() -> list[Event]:
        found = await listed(service, application, page_size=1000)
        assert len(found) == count
        return found

    return await eventually(enough)


async def put(service, application: str, *events: Event) -> pb.PutEventsResponse:
    request = pb.PutEventsRequest(parent=f"applications/{application}", events=events)
    return await service.events.PutEvents(request)
