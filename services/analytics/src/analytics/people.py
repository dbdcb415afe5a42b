"""What this service does when people are erased: their events go, once all of them have arrived.

Messaging may tell of a person until it has erased them itself, so what audience announces is obeyed
when messaging is among those who have answered.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from heliograph import subjects
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from mesh.aip import operations
from mesh.errors import NotFound
from mesh.eventing import orders as ordering
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from mesh.eventing.orders import Kept, Orders
from mesh.eventing.progress import Progress
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from nats.js import JetStreamContext

from analytics.consumers import HEARD, durable
from analytics.eventstore.client import EventStore
from analytics.eventstore.erasing_people import People, erase_people, refuse_old_parts

FIRST: Final = "messaging"
CLOCKS_DIFFER: Final = timedelta(seconds=10)
"""The store's clock says when a message event came, ours when all had."""

BUS_KEEPS: Final = timedelta(days=7)
_STREAMS: Final = (subjects.EVENTS, subjects.MESSAGES)


class PeopleErasing:
    """Carries out one order: a step that erases, and one that waits for the disk."""

    def __init__(self, sessions: Sessions, js: JetStreamContext, store: EventStore) -> None:
        self._sessions = sessions
        self._store = store
        followers = [(stream.name, durable(heard)) for heard, (stream, _) in HEARD.items()]
        self._progress = Progress(js, followers)
        self._begun: dict[str, datetime] = {}
        self._gone: dict[str, datetime] = {}
        self._clean: set[str] = set()

    async def erase(self, order: OrderRow) -> int:
        """Erase what has arrived, once all has that was on the bus; the rows found."""
        if order.operation in self._clean:
            return 0  # many may be waiting for the disk, and need not be looked for again
        await self._progress.reached(order.operation)
        until = self._begun.setdefault(order.operation, datetime.now(UTC) + CLOCKS_DIFFER)
        request = pb.EraseEventsRequest.FromString(order.subject)
        people = People(
            order.application, list(request.user_ids), list(request.endpoint_ids), until
        )
        note = partial(orders.note, self._sessions, order)
        rows = await erase_people(self._store, people, note)
        if rows:
            self._gone.pop(order.operation, None)
        else:
            self._clean.add(order.operation)
        return rows

    async def wait_for_disk(self, order: OrderRow) -> int:
        """Nothing to count. Raises Unavailable while the disk still holds what was erased."""
        since = self._gone.setdefault(order.operation, datetime.now(UTC))
        await refuse_old_parts(self._store, since)
        return 0

    async def keeping(self, order: OrderRow) -> Sequence[Kept]:
        """What the bus keeps for some days; the erasure is over."""
        for kept in (self._begun, self._gone):
            kept.pop(order.operation, None)
        self._clean.discard(order.operation)
        self._progress.forget(order.operation)
        why = "the bus keeps what was announced, of many people in one message, until its age"
        until = order.hear_time + BUS_KEEPS
        return [Kept(f"stream {stream.name}", why, until=until) for stream in _STREAMS]


def orders_of(
    sessions: Sessions,
    js: JetStreamContext,
    store: EventStore,
    *,
    waits_for_disk: bool = True,
) -> Orders:
    """The orders of this service."""
    erasing = PeopleErasing(sessions, js, store)
    report = ordering.reporting(js, "analytics", ErasureReport)

    async def answer(order: OrderRow, kept: list[dict[str, Any]]) -> None:
        if not await _finish(sessions, order):
            await report(order, kept)

    steps = [erasing.erase, erasing.wait_for_disk] if waits_for_disk else [erasing.erase]
    return Orders(sessions, steps, erasing.keeping, answer, settle_seconds=0.0)


def consumer(js: JetStreamContext, taking: Orders) -> Consumer:
    """Hears of people whom audience erases."""

    async def handle(delivery: Delivery) -> None:
        event = delivery.parse(UserErased)
        if FIRST not in event.answered_services:
            return  # it is announced again when that one has answered
        request = pb.EraseEventsRequest(
            user_ids=[event.user_id],
            endpoint_ids=[name.split("/", 3)[3] for name in event.endpoints],
        )
        time = event.erase_time.ToDatetime(UTC)
        await taking.take(event.application, event.operation, request.SerializeToString(), time)

    return ordering.consumer(js, subjects.AUDIENCE.name, "analytics", UserErased, handle)


async def _finish(sessions: Sessions, order: OrderRow) -> bool:
    """End the operation of `EraseEvents`; false when the order is of somebody else's operation."""
    async with sessions.begin() as session:
        try:
            await operations.get(session, order.operation)
        except NotFound:
            return False
        response = pb.EraseEventsResponse(event_count=sum(order.erased_rows.values()))
        assert order.answer_time is not None
        response.erase_time.FromDatetime(order.answer_time)
        await operations.finish(session, order.operation, response)
    return True
