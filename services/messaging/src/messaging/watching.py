"""What happens to an application's messages, live from the bus."""

import asyncio
from collections.abc import AsyncIterator

from heliograph import subjects
from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy

POLL_SECONDS = 5.0


async def watch(
    js: JetStreamContext, application: str, run: str
) -> AsyncIterator[list[MessageEvent]]:
    """Sets of events from now on, until the caller stops reading; of one run, or of all."""
    subscription = await js.subscribe(
        subjects.subject(MessagesChanged, application),
        ordered_consumer=True,
        config=ConsumerConfig(deliver_policy=DeliverPolicy.NEW),
    )
    try:
        while True:
            try:
                message = await subscription.next_msg(timeout=POLL_SECONDS)
            except (NatsTimeoutError, asyncio.TimeoutError):  # noqa: UP041  # either may come
                continue
            changed = MessagesChanged.FromString(message.data)
            events = [event for event in changed.events if not run or event.run == run]
            if events:
                yield events
    finally:
        await subscription.unsubscribe()
