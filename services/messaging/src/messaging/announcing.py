"""Announcing message events on the bus: one publish for a set."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.eventing import publisher
from nats.js import JetStreamContext

from messaging import events
from messaging.metrics import MESSAGES

EVENTS_MAX = 1000
"""Events in one bus message, well below the bus's size limit."""


async def announce(js: JetStreamContext, application: str, told: Sequence[MessageEvent]) -> None:
    """Publishes the events and waits until the bus has them. Raises Unavailable when it has not.

    The id on the bus is made of the content: the same set told twice is stored once.
    """
    for start in range(0, len(told), EVENTS_MAX):
        message = events.changed(application, told[start : start + EVENTS_MAX])
        ack = await publisher.publish(js, message, application, msg_id=_identity(message))
        if not ack.duplicate:
            _count(message)


def _identity(message: MessagesChanged) -> str:
    ids = "\n".join(event.event_id for event in message.events)
    return blake2b(ids.encode(), digest_size=16).hexdigest()


def _count(message: MessagesChanged) -> None:
    kinds = Counter((event.kind, event.reason) for event in message.events)
    for (kind, reason), number in kinds.items():
        MESSAGES.labels(MessageEvent.Kind.Name(kind), Reason.Name(reason)).inc(number)
