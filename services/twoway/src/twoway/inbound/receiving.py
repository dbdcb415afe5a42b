"""Texts taken in: seen, recorded, decided and promised an answer in one transaction.

A crash at any moment leaves all of it or nothing, and a delivery that comes again changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heliograph.messaging.v1 import events_pb2
from mesh.eventing import outbox
from mesh.eventing.consumer import Delivery
from mesh.telemetry import logging, propagation

from twoway import clock, locks, metrics
from twoway.consent import writing
from twoway.conversations import opening
from twoway.inbound import announcing, effects, loop_guard, questions, store, texts
from twoway.inbound.texts import Text
from twoway.linking import recording
from twoway.linking.asking import Asking, Found
from twoway.replies import sets
from twoway.replies import store as replies
from twoway.tables import InboundMessage
from twoway.webhooks import store as posts

if TYPE_CHECKING:
    import asyncpg

log = logging.get(__name__)

TRANSACTION_MAX = 2_000
"""Texts in one transaction, so that it stays short."""

Addressed = tuple[str, Text]
"""An application and a text to one of its numbers."""


class Receiver:
    """The handler of inbound texts."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        asking: Asking,
        gone: Container[str] = (),
    ) -> None:
        """Texts to applications that are `gone` are passed by."""
        self._pool = pool
        self._asking = asking
        self._gone = gone

    async def handle(self, deliveries: list[Delivery]) -> None:
        """Take in the texts of several bus messages."""
        texts_ = (addressed for delivery in deliveries for addressed in _texts(delivery))
        arrived = [addressed for addressed in texts_ if addressed[0] not in self._gone]
        for part in _parts(arrived):
            found = await self._answered(part)
            async with self._pool.acquire() as connection, connection.transaction():
                taken = await receive(connection, part, found)
            for intent, count in Counter(row.intent for row in taken).items():
                metrics.INBOUND.labels(intent).inc(count)
            for remark, count in Counter(" ".join(row.remarks for row in taken).split()).items():
                metrics.REMARKS.labels(remark).inc(count)

    async def _answered(self, arrived: Sequence[Addressed]) -> dict[str, Found]:
        """What texts answer, asked before anything is locked."""
        groups = _by_application(arrived)
        found = await asyncio.gather(*(self._asking.find(*group) for group in groups.items()))
        return dict(zip(groups, found, strict=True))


async def receive(
    connection: Any, arrived: Sequence[Addressed], found: Mapping[str, Found]
) -> list[InboundMessage]:
    """Take in texts within the connection's transaction; those that are new."""
    taken: list[InboundMessage] = []
    announcements = outbox.Gathered()
    # In one order everywhere, so that two replicas never wait for each other.
    for application, own in sorted(_by_application(arrived).items()):
        await locks.hold_raw(connection, application)
        fresh = await store.new(connection, application, own)
        if fresh:
            answered = found.get(application, {})
            taken += await _receive(connection, announcements, application, fresh, answered)
    await announcements.write(connection)
    return taken


async def _receive(
    connection: Any,
    announcements: outbox.Announcing,
    application: str,
    fresh: Sequence[Text],
    found: Found,
) -> list[InboundMessage]:
    situation = await store.load(connection, application, fresh)
    followed = effects.follow(situation, fresh)
    await store.add(connection, followed.messages)
    posted = [
        one for one in followed.messages if situation.number(one.destination_address).has_webhook
    ]
    await posts.promise(connection, posted, clock.now())
    await opening.open_(connection, application, followed.messages)
    links = recording.links(followed.messages, found)
    await recording.keep(connection, list(links.values()))
    await writing.keep(connection, announcements, followed.changes)
    await questions.write(connection, application, followed.questions)
    await loop_guard.write(connection, followed.guard)
    answers = sets.sets(application, followed.replies, clock.now(), propagation.inject())
    await replies.add(connection, answers)
    announcing.matches(announcements, application, followed.matches)
    announcing.messages(announcements, situation, followed.messages, links)
    recording.announce(announcements, application, followed.messages, links)
    return followed.messages


def _texts(delivery: Delivery) -> Iterator[Addressed]:
    event = delivery.parse(events_pb2.InboundSmsReceived)
    for sms in event.messages:
        yield event.application, texts.of(sms, delivery.receive_time)


def _by_application(arrived: Iterable[Addressed]) -> dict[str, list[Text]]:
    groups: dict[str, list[Text]] = {}
    for application, text in arrived:
        groups.setdefault(application, []).append(text)
    return groups


def _parts(arrived: Sequence[Addressed]) -> Iterator[Sequence[Addressed]]:
    for start in range(0, len(arrived), TRANSACTION_MAX):
        yield arrived[start : start + TRANSACTION_MAX]
