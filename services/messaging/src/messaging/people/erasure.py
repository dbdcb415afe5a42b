"""What this service does when a person is erased: nothing more is sent, then nobody is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from heliograph import subjects
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.messaging.v1.suppression_pb2 import Suppression
from mesh.errors import Unavailable
from mesh.eventing import orders as ordering
from mesh.eventing.consumer import Consumer
from mesh.eventing.orders import Kept, Orders
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from nats.js import JetStreamContext
from sqlalchemy import text

from messaging import events
from messaging.announcing import announce
from messaging.housekeeping import LONG_TEXTS_KEPT
from messaging.ledger.persistence import Pool
from messaging.long_texts.folding import PARTS_WITHIN
from messaging.people import ledger, remembering
from messaging.people.ledger import Person
from messaging.suppressions import id_for

LATE: Final = timedelta(seconds=ordering.SETTLE_SECONDS)
"""A message that was made this long after the person was erased was made knowing it."""

BUS_KEEPS: Final = timedelta(days=7)

_PARKED: Final = """
DELETE FROM parked_receipts
WHERE application = :application AND address = ANY(CAST(:addresses AS text[]))
"""
_COUNTERS: Final = """
DELETE FROM cap_counters
WHERE application = :application AND endpoint_id = ANY(CAST(:endpoints AS text[]))
"""
_BOUNCES: Final = """
DELETE FROM suppressions
WHERE application = :application AND id = ANY(CAST(:ids AS text[])) AND cause = :bounce
"""
# The id is a digest of the address, and all it takes to send nothing.
_WISHES: Final = """
UPDATE suppressions SET address = '', note = '', source_message = ''
WHERE application = :application AND id = ANY(CAST(:ids AS text[])) AND address <> ''
"""
# As the carrier spells it: with its plus, with 00, or without either.
_WRITTEN: Final = r"""
application = :application AND receive_time <= :until AND source_address <> ''
    AND regexp_replace(source_address, '^([+]|00)', '') = ANY(CAST(:numbers AS text[]))
"""
_PARTS: Final = f"DELETE FROM long_texts WHERE NOT announced AND {_WRITTEN}"
# The words are digests by now, and without them a part that comes again would be told anew.
_TOLD_PARTS: Final = f"UPDATE long_texts SET source_address = '' WHERE announced AND {_WRITTEN}"
_KEPT: Final = text(
    "SELECT count(*) FROM suppressions"
    " WHERE application = :application AND id = ANY(CAST(:ids AS text[]))"
)


@dataclass(frozen=True)
class PersonErasing:
    """Carries out one order."""

    sessions: Sessions
    js: JetStreamContext
    pool: Pool

    async def stop(self, order: OrderRow) -> int:
        """Nothing more is sent; what is leaving at this moment is waited for."""
        person = _person(order)
        async with self.pool.acquire() as connection:
            async with connection.transaction():
                rows = await ledger.stop(connection, person)
                told = [events.event(row, events.KINDS[row.state], row.update_time) for row in rows]
                await announce(self.js, order.application, told)
            if await ledger.is_handing(connection, person):
                raise Unavailable("BATCH_IN_WORK", "a message to the person is under way")
        return len(rows)

    async def erase(self, order: OrderRow) -> int:
        """Everything of the person that no one needs."""
        person = _person(order)
        values = {
            "until": person.until,
            "endpoints": list(person.endpoints),
            "user_id": person.user_id,
            "addresses": list(person.addresses),
            "digests": person.digests,
            "nobody": ledger.NOBODY,
            "numbers": [one.removeprefix("+") for one in person.addresses],
            "ids": _suppressions(person),
            "bounce": Suppression.HARD_BOUNCE,
        }
        found = 0
        for table, statement in (
            ("messages", ledger.ERASE),
            ("parked_receipts", _PARKED),
            ("cap_counters", _COUNTERS),
            ("long_texts", _PARTS),
            ("long_texts", _TOLD_PARTS),
            ("suppressions", _BOUNCES),
            ("suppressions", _WISHES),
        ):
            wanted = {name: one for name, one in values.items() if f":{name}" in statement}
            found += await orders.erase(self.sessions, order, table, statement, wanted)
        return found

    async def keeping(self, order: OrderRow) -> Sequence[Kept]:
        """What stays, and why."""
        values = {"application": order.application, "ids": _suppressions(_person(order))}
        async with self.sessions() as session:
            found = await (await session.connection()).execute(_KEPT, values)
            suppressed = found.scalar_one()
        until = order.hear_time + BUS_KEEPS
        kept = [
            Kept("messages", "rows without anybody in them, so that counts stay true"),
            Kept(
                "erased_recipients",
                "digests, so that what waits on the bus for the person is not sent",
                until=order.hear_time + orders.KEPT,
            ),
            Kept(
                f"stream {subjects.SENDS.name}",
                "batches that wait for their turn; the person is left out when it comes",
                until=until,
            ),
            Kept(
                f"stream {subjects.MESSAGES.name}",
                "the bus keeps what was announced, of many people in one message, until its age",
                until=until,
            ),
        ]
        kept.append(
            Kept(
                "parked_receipts",
                "a receipt that a carrier sends later finds no message, and goes after two days",
                until=until,
            )
        )
        kept.append(
            Kept(
                "long_texts",
                "digests of parts that were told, so that none is told again",
                until=order.hear_time + PARTS_WITHIN + LONG_TEXTS_KEPT,
            )
        )
        if suppressed:
            why = "the wish to get no messages protects the person; the address is gone"
            kept.append(Kept("suppressions", why, suppressed))
        return kept


def orders_of(
    sessions: Sessions,
    js: JetStreamContext,
    pool: Pool,
    settle_seconds: float = ordering.SETTLE_SECONDS,
) -> Orders:
    """The orders of this service."""
    erasing = PersonErasing(sessions, js, pool)
    answer = ordering.reporting(js, "messaging", ErasureReport)
    steps = [erasing.stop, erasing.erase]
    return Orders(sessions, steps, erasing.keeping, answer, settle_seconds=settle_seconds)


def consumer(js: JetStreamContext, taking: Orders) -> Consumer:
    """Hears of people whom audience erases; from then on nothing more is sent to them."""
    handle = taking.hearing(UserErased, _remember)
    return ordering.consumer(js, subjects.AUDIENCE.name, "messaging", UserErased, handle)


async def _remember(event: UserErased, session: Any, now: datetime) -> None:
    await remembering.remember(session, event, now)


def _person(order: OrderRow) -> Person:
    event = UserErased.FromString(order.subject)
    return Person(
        application=order.application,
        until=order.hear_time + LATE,
        endpoints=[name.rpartition("/")[2] for name in event.endpoints],
        user_id=event.user_id,
        addresses=list(event.addresses),
    )


def _suppressions(person: Person) -> list[str]:
    """The ids that entries about the person's addresses have, on whatever channel."""
    return [id_for(kind, one) for one in person.addresses for kind in ChannelType.values()]
