"""Texts that answer messages, announced as something that happened to these messages.

Twoway has found them by asking here, and has understood them; it tells of each text once. So what
the carrier waits for is not delayed, and the ledger is searched once for a text.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from typing import Final

from heliograph import subjects
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.twoway.v1.events_pb2 import MessagesAnswered
from heliograph.twoway.v1.inbound_message_pb2 import Intent
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from nats.js import JetStreamContext

from messaging import events, names
from messaging.announcing import announce
from messaging.ledger import answered
from messaging.ledger.persistence import Pool, persist
from messaging.ledger.rows import Row

DURABLE: Final = "messaging-MessagesAnswered"
DELIVERIES_MAX: Final = 100


class Answers:
    """Tells what was answered, and by what; telling it twice changes nothing."""

    def __init__(self, pool: Pool, js: JetStreamContext) -> None:
        self._pool = pool
        self._js = js

    def consumer(self) -> Consumer:
        """Hears of the answers."""
        return Consumer(
            self._js,
            subjects.TWOWAY.name,
            DURABLE,
            subjects.subject(MessagesAnswered, "*"),
            self.handle,
            batch=DELIVERIES_MAX,
            concurrency=1,
        )

    async def handle(self, deliveries: list[Delivery]) -> None:
        """Announce the answers; of a message that the ledger has no more, nothing."""
        by_application: dict[str, list[MessagesAnswered.Answer]] = defaultdict(list)
        for delivery in deliveries:
            heard = delivery.parse(MessagesAnswered)
            by_application[heard.application] += heard.answers
        for application, told in by_application.items():
            await announce(self._js, application, await self._events(application, told))

    async def _events(
        self, application: str, told: Sequence[MessagesAnswered.Answer]
    ) -> list[MessageEvent]:
        ids = [names.message_of(answer.message, field="message")[1] for answer in told]
        rows = await persist(
            self._pool, lambda ledger: answered.get(ledger, application, list(set(ids)))
        )
        return [
            _event(rows[message_id], answer)
            for message_id, answer in zip(ids, told, strict=True)
            if message_id in rows
        ]


def _event(row: Row, answer: MessagesAnswered.Answer) -> MessageEvent:
    """That the message was answered by this text, once for each text."""
    found = events.event(row, MessageEvent.REPLIED, answer.receive_time.ToDatetime(UTC))
    found.event_id = f"{found.event_id}-{answer.inbound_message.rpartition('/')[2]}"
    found.detail = answer.inbound_message
    said = {
        "intent": Intent.Name(answer.intent),
        "keyword": answer.keyword,
        "answer": answer.answer,
    }
    found.context.update({name: word for name, word in said.items() if word})
    return found
