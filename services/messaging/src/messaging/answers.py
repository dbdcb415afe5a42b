"""Texts that answer messages, announced as something that happened to these messages.

Heard back from the bus, so that the carrier's acknowledgement does not wait for it, and so that no
text is left out: one that was announced before a crash is heard after it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from typing import Final

from heliograph import subjects
from heliograph.messaging.v1.events_pb2 import InboundSms, InboundSmsReceived, MessageEvent
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from nats.js import JetStreamContext

from messaging import events
from messaging.announcing import announce
from messaging.ledger import answered
from messaging.ledger.persistence import Pool, persist
from messaging.ledger.rows import Row

DURABLE: Final = "messaging-InboundSmsReceived"
DELIVERIES_MAX: Final = 100


class Answers:
    """Finds what was answered, and tells; telling it twice changes nothing."""

    def __init__(self, pool: Pool, js: JetStreamContext) -> None:
        self._pool = pool
        self._js = js

    def consumer(self) -> Consumer:
        """Hears the texts."""
        return Consumer(
            self._js,
            subjects.INBOUND.name,
            DURABLE,
            subjects.subject(InboundSmsReceived, "*"),
            self.handle,
            batch=DELIVERIES_MAX,
            concurrency=1,
        )

    async def handle(self, deliveries: list[Delivery]) -> None:
        """Announce what the texts answer; of a text that answers nothing, nothing."""
        by_application: dict[str, list[InboundSms]] = defaultdict(list)
        for delivery in deliveries:
            received = delivery.parse(InboundSmsReceived)
            by_application[received.application] += received.messages
        for application, texts in by_application.items():
            told = await self._told(application, texts)
            await announce(self._js, application, told)

    async def _told(self, application: str, texts: Sequence[InboundSms]) -> list[MessageEvent]:
        asked = [
            answered.Text(
                text.source_address,
                text.destination_address,
                text.receive_time.ToDatetime(UTC),
            )
            for text in texts
        ]
        rows = await persist(self._pool, lambda ledger: answered.find(ledger, application, asked))
        return [_event(row, text) for row, text in zip(rows, texts, strict=True) if row is not None]


def _event(row: Row, text: InboundSms) -> MessageEvent:
    """That the message was answered by this text, once for each text."""
    found = events.event(row, MessageEvent.REPLIED, text.receive_time.ToDatetime(UTC))
    found.event_id = f"{found.event_id}-{text.inbound_id}"
    found.detail = f"applications/{row.application}/inboundMessages/{text.inbound_id}"
    return found
