"""What this service does when a person is erased: it knows endpoints as places in a segment."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from mesh.eventing import orders as ordering
from mesh.eventing.consumer import Consumer
from mesh.eventing.orders import Kept, Orders
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from nats.js import JetStreamContext
from sqlalchemy import text

# A run that has ended goes on from nowhere.
_FORGET: Final = """
UPDATE run SET cursor = '' WHERE application = :application AND end_time IS NOT NULL
    AND cursor = ANY(CAST(:endpoints AS text[]))
"""
_KEPT: Final = text(
    "SELECT count(*) FROM run WHERE application = :application AND end_time IS NULL"
    " AND cursor = ANY(CAST(:endpoints AS text[]))"
)


def orders_of(sessions: Sessions, js: JetStreamContext) -> Orders:
    """The orders of this service."""
    answer = ordering.reporting(js, "campaign", ErasureReport)
    # A run that ends from here on forgets it by itself.
    steps = [partial(forget, sessions)]
    return Orders(sessions, steps, partial(keeping, sessions), answer, settle_seconds=0.0)


def consumer(js: JetStreamContext, taking: Orders) -> Consumer:
    """Hears of people whom audience erases."""
    handle = taking.hearing(UserErased)
    return ordering.consumer(js, subjects.AUDIENCE.name, "campaign", UserErased, handle)


async def forget(sessions: Sessions, order: OrderRow) -> int:
    """No run that has ended names one of the person's endpoints; how many did."""
    return await orders.erase(sessions, order, "run", _FORGET, _endpoints(order))


async def keeping(sessions: Sessions, order: OrderRow) -> Sequence[Kept]:
    """Runs that are under way and stand at one of the person's endpoints at this moment."""
    async with sessions() as session:
        values = {"application": order.application, **_endpoints(order)}
        rows = (await (await session.connection()).execute(_KEPT, values)).scalar_one()
    why = "the endpoint id says how far a run is, until it goes on or ends"
    return [Kept("run", why, rows)] if rows else []


def _endpoints(order: OrderRow) -> dict[str, Any]:
    names = UserErased.FromString(order.subject).endpoints
    return {"endpoints": [name.rpartition("/")[2] for name in names]}
