"""What analytics hears, and stores as it comes: a bus message is a row of a door of the store."""

import asyncio
import time
from collections.abc import Container

from google.protobuf.message import Message
from heliograph import subjects
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.messaging.v1.events_pb2 import MessagesChanged
from heliograph.subjects import Stream
from mesh.eventing.absences import Absences
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from nats.js import JetStreamContext

from analytics import metrics
from analytics.eventstore.client import EventStore

HEARD: dict[type[Message], tuple[Stream, str]] = {
    EventsRecorded: (subjects.EVENTS, "events_recorded"),
    MessagesChanged: (subjects.MESSAGES, "messages_changed"),
}
"""Message type → the stream it is on, and the table that takes it."""

APPLICATION_TOKEN = 4
BATCH_MAX = 128
HELD_MAX = 256
ACK_WAIT_SECONDS = 5.0
"""How soon what a dead replica held is inserted by another: reports stay seconds old."""
INSERT_BYTES_MAX = 16 * 1024 * 1024
LARGE_BYTES = 4 * 1024 * 1024
"""About twenty thousand events: from there on, larger inserts cost no less per event."""


class Insertion:
    """Inserts deliveries, in few and large steps.

    A batch may come again, whole or cut otherwise: the store knows an event by its identity. Fails
    with what EventStore.insert raises; the consumer holds the messages until the store is back.
    """

    def __init__(
        self,
        store: EventStore,
        message_type: type[Message],
        table: str,
        interval_seconds: float,
        gone: Container[str],
    ) -> None:
        """What is of an application that is `gone` is passed by."""
        self._gone = gone
        self._store = store
        self._message_type = message_type
        self._table = table
        self._interval_seconds = interval_seconds

    async def handle(self, deliveries: list[Delivery]) -> None:
        """Insert them all, then rest so that small batches do not become many small parts."""
        started = time.monotonic()
        deliveries = [one for one in deliveries if application_of(one) not in self._gone]
        size_bytes = sum(len(delivery.data) for delivery in deliveries)
        for chunk in chunks([delivery.data for delivery in deliveries], INSERT_BYTES_MAX):
            with metrics.INSERT_SECONDS.labels(self._table).time():
                await self._store.insert(self._table, self._message_type, chunk)
            metrics.INSERTED_MESSAGES.labels(self._table).inc(len(chunk))
        if len(deliveries) < BATCH_MAX and size_bytes < LARGE_BYTES:
            await asyncio.sleep(self._interval_seconds - (time.monotonic() - started))


def consumer(
    js: JetStreamContext,
    store: EventStore,
    message_type: type[Message],
    interval_seconds: float,
    absences: Absences,
    gone: Container[str] = (),
) -> Consumer:
    """The consumer of one type, to be entered; one insert at a time in each process."""
    stream, table = HEARD[message_type]
    insertion = Insertion(store, message_type, table, interval_seconds, gone)
    return Consumer(
        js,
        stream.name,
        durable(message_type),
        subjects.subject(message_type, ">"),
        insertion.handle,
        batch=BATCH_MAX,
        concurrency=1,
        ack_wait_seconds=ACK_WAIT_SECONDS,
        held_max=HELD_MAX,
        absences=absences,
    )


def durable(message_type: type[Message]) -> str:
    """The name of the consumer of a type."""
    return f"analytics-{message_type.DESCRIPTOR.name}"


def application_of(delivery: Delivery) -> str:
    """The application whose message it is: in the subject, after the message's full name."""
    return delivery.subject.split(".")[APPLICATION_TOKEN]


def chunks(messages: list[bytes], bytes_max: int) -> list[list[bytes]]:
    """Messages in their order, cut so that each piece has at most so many bytes, or one message."""
    pieces: list[list[bytes]] = []
    size_bytes = 0
    for message in messages:
        size_bytes += len(message)
        if not pieces or size_bytes > bytes_max:
            pieces.append([])
            size_bytes = len(message)
        pieces[-1].append(message)
    return pieces
