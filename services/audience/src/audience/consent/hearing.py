"""The consumer that hears who opted out and in, and keeps it by address."""

from datetime import UTC, datetime

from heliograph import subjects
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from mesh.store import engine
from nats.js import JetStreamContext
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import metrics
from audience.consent import facts, store

DURABLE = "audience-opt-outs"
BATCH_MAX = 64
ACK_WAIT_SECONDS = 5.0
"""How soon another replica keeps what a dead one had taken on."""


class Hearing:
    """Keeps what is announced; the same again, or an older fact later, changes nothing."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def handle(self, deliveries: list[Delivery]) -> None:
        """Keep the facts of all deliveries, in one transaction."""
        told = [fact for delivery in deliveries for fact in facts.told(delivery)]
        holding = facts.holding(told)
        if holding:
            async with self._sessions.begin() as session:
                await store.keep(await engine.raw(session), holding)
        for fact in told:
            metrics.OPT_OUTS_HEARD.labels("out" if fact.opted_out else "in").inc()
        now = datetime.now(UTC)
        for delivery in deliveries:
            metrics.OPT_OUT_LAG_SECONDS.observe((now - delivery.receive_time).total_seconds())


def consumer(js: JetStreamContext, sessions: async_sessionmaker[AsyncSession]) -> Consumer:
    """The durable consumer, to be entered."""
    return Consumer(
        js,
        stream=subjects.TWOWAY.name,
        durable=DURABLE,
        subject=[subjects.subject(message_type, "*") for message_type in facts.HEARD],
        handler=Hearing(sessions).handle,
        batch=BATCH_MAX,
        concurrency=1,
        ack_wait_seconds=ACK_WAIT_SECONDS,
    )
