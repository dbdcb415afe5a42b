"""What a service does when it is ordered to erase somebody: erase, again until nothing is found,
and say what it erased and what it keeps.

The work is a row of `erasure_orders` and not a delivery that is kept waiting: it may take hours,
and goes on wherever a process died. Any number of replicas may do it at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias

from google.protobuf.message import Message
from mesh import worker
from mesh.errors import Unavailable
from mesh.eventing import passes, publisher
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from mesh.telemetry import logging
from mesh.waking import Wakeup
from nats.js import JetStreamContext
from sqlmodel.ext.asyncio.session import AsyncSession

SETTLE_SECONDS: Final = 3.0
"""After hearing of it: by then, what was being written when it was heard can be found."""

ACK_WAIT_SECONDS: Final = 5.0
"""How soon another replica hears what a dead one has not taken in."""

POLL_SECONDS: Final = 2.0
ORDERS_MAX: Final = 100
"""Orders that are looked at in one round."""

AT_ONCE_MAX: Final = 8
"""Orders that are carried out at the same time: one that waits keeps nobody else."""


@dataclass(frozen=True)
class Kept:
    """What is kept of somebody nevertheless: a table, stream or file, and why it may or must be."""

    what: str
    why: str
    rows: int = 0
    until: datetime | None = None


Step: TypeAlias = Callable[[OrderRow], Awaitable[int]]
"""Erases what there is; how much it has found, 0 when none. Raises Unavailable to wait."""

Keeping: TypeAlias = Callable[[OrderRow], Awaitable[Sequence[Kept]]]
Answer: TypeAlias = Callable[[OrderRow, list[dict[str, Any]]], Awaitable[None]]
"""Tells what was erased and what is kept; may be called again."""

Also: TypeAlias = Callable[[Any, AsyncSession, datetime], Awaitable[None]]
Handler: TypeAlias = Callable[[Delivery], Awaitable[None]]

_log = logging.get(__name__)


class Orders:
    """The orders of one service. `handle` hears of one, `run` carries them out."""

    def __init__(
        self,
        sessions: Sessions,
        steps: Sequence[Step],
        keeping: Keeping,
        answer: Answer,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._sessions = sessions
        self._steps = steps
        self._keeping = keeping
        self._answer = answer
        self._settle = timedelta(seconds=settle_seconds)
        self._poll_seconds = poll_seconds
        self._woken = Wakeup()

    async def take(
        self,
        application: str,
        operation: str,
        subject: bytes,
        order_time: datetime,
        also: Callable[[AsyncSession, datetime], Awaitable[None]] | None = None,
    ) -> None:
        """Take an order, any number of times; each is answered. `also` is done with it, in the
        same transaction, at that time."""
        async with self._sessions.begin() as session:
            now = datetime.now(UTC)
            await orders.take(session, application, operation, subject, order_time, now)
            if also is not None:
                await also(session, now)
        self.wake()

    def hearing(self, heard: type[Any], also: Also | None = None) -> Handler:
        """Takes each announcement of an order (application, operation, erase_time), which is all
        that is known of whom it is about. `also` is done with it, as `take` does."""

        async def handle(delivery: Delivery) -> None:
            event = delivery.parse(heard)
            time = event.erase_time.ToDatetime(UTC)
            more = partial(also, event) if also else None
            await self.take(event.application, event.operation, delivery.data, time, more)

        return handle

    def wake(self) -> None:
        """Look at once for what is to be done."""
        self._woken.wake()

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        await worker.run("orders", self.step, poll_seconds=self._poll_seconds, woken=self._woken)

    async def step(self) -> None:
        """Bring every order as far as it comes; one that fails is tried again with the next."""
        async with self._sessions() as session:
            left = await orders.waiting(session, ORDERS_MAX)
        slots = asyncio.Semaphore(AT_ONCE_MAX)
        await asyncio.gather(*(self._try(order, slots) for order in left))

    async def _try(self, order: OrderRow, slots: asyncio.Semaphore) -> None:
        async with slots:
            try:
                await self._carry_out(order)
            except Unavailable as error:
                _log.info("order.waits", operation=order.operation, reason=error.reason)
            except Exception as error:
                _log.warning("order.failed", operation=order.operation, error=repr(error))

    async def _carry_out(self, order: OrderRow) -> None:
        await passes.until_nothing_is_found(
            partial(self._erase, order), order.hear_time + self._settle
        )
        kept = [asdict(one) for one in await self._keeping(order)]
        async with self._sessions.begin() as session:
            row = await orders.find(session, order)
            if row is None or not row.subject:
                return  # another replica was faster
            row.answer_time = datetime.now(UTC)
            await self._answer(row, kept)
            row.subject = b""
        _log.info("order.carried_out", operation=order.operation)

    async def _erase(self, order: OrderRow) -> int:
        return sum([await step(order) for step in self._steps])


def consumer(
    js: JetStreamContext,
    stream: str,
    service: str,
    heard: type[Any],
    handle: Handler,
) -> Consumer:
    """Hears of orders on a stream, each replica of the service some of them."""
    name = heard.DESCRIPTOR.full_name
    durable = f"{service}-{heard.DESCRIPTOR.name}"
    return Consumer(
        js,
        stream,
        durable,
        f"{name}.*.*",
        handle,
        concurrency=1,
        ack_wait_seconds=ACK_WAIT_SECONDS,
    )


def reporting(js: JetStreamContext, service: str, report: Callable[..., Message]) -> Answer:
    """Answers by a message: application, operation, service, erased_rows, erase_time, kept."""

    async def answer(order: OrderRow, kept: list[dict[str, Any]]) -> None:
        message = report(
            application=order.application,
            operation=order.operation,
            service=service,
            erased_rows=order.erased_rows,
            erase_time=order.answer_time,
            kept=kept,
        )
        await publisher.publish(js, message, order.application)

    return answer
