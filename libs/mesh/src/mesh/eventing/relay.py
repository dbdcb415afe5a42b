"""The loop that moves outbox rows to JetStream; any number of replicas may run it."""

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from mesh import worker
from mesh.eventing import metrics
from mesh.eventing.outbox_table import CHANNEL, OutboxRow
from mesh.eventing.publisher import IN_FLIGHT_MAX, Outgoing, send
from mesh.store.notifications import Listener
from nats.js import JetStreamContext
from sqlalchemy import ARRAY, BigInteger, Boolean, any_, bindparam, delete, func
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

ORDER_LOCK = 0x6F7574626F78
"""Advisory lock of whoever may relay in order; the letters "outbox"."""

_CLAIM = select(OutboxRow).order_by(col(OutboxRow.id)).with_for_update(skip_locked=True)
# The lock is taken before any row is looked at, and rows that its last holder has published in the
# meantime are left out as locked rows are read anew.
_CLAIM_IN_ORDER = _CLAIM.where(
    select(func.pg_try_advisory_xact_lock(ORDER_LOCK, type_=Boolean)).scalar_subquery()
)
# An array is one value, however many rows; a list would be a statement for each number of them.
_DELETE = (
    delete(OutboxRow)
    .where(col(OutboxRow.id) == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    .execution_options(synchronize_session=False)
)


class Relay:
    """`async with Relay(sessions, js)` relays in the background; tests call `step`.

    With `ordered`, one replica at a time publishes, one event after the other, so that events leave
    in the order of their ids. `poll_seconds` only covers notifications that were lost.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        js: JetStreamContext,
        *,
        batch_max: int = 100,
        poll_seconds: float = 2.0,
        ordered: bool = False,
    ) -> None:
        self._sessions = sessions
        self._js = js
        self._batch_max = batch_max
        self._poll_seconds = poll_seconds
        self._ordered = ordered
        self._task: asyncio.Task[None] | None = None

    async def step(self) -> int:
        """Publish one batch of rows and delete those that are acknowledged; how many they were.

        Rows are claimed instead of remembering the last id: a transaction may commit a smaller id
        later. Raises the first failure, after the acknowledged rows are deleted.
        """
        async with self._sessions.begin() as session:
            rows = await self._claim(session)
            results = await self._publish(rows)
            done = [row.id for row, failure in zip(rows, results, strict=True) if failure is None]
            if done:
                await session.exec(_DELETE, params={"ids": done})
        metrics.RELAYED.inc(len(done))
        for failure in results:
            if failure is not None:
                raise failure
        return len(done)

    async def run(self) -> None:
        """Relay until cancelled, woken by each commit that adds rows."""
        async with Listener(_url(self._sessions), CHANNEL) as listener:
            await worker.run(
                "outbox", self._full_step, poll_seconds=self._poll_seconds, woken=listener
            )

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run(), name="outbox relay")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _full_step(self) -> bool:
        """Whether there may be more to do at once."""
        with metrics.RELAY_FAILURES.count_exceptions():
            return await self.step() == self._batch_max

    async def _claim(self, session: AsyncSession) -> Sequence[OutboxRow]:
        claim = _CLAIM_IN_ORDER if self._ordered else _CLAIM
        return (await session.exec(claim.limit(self._batch_max))).all()

    async def _publish(self, rows: Sequence[OutboxRow]) -> list[BaseException | None]:
        if self._ordered:
            return await self._publish_in_order(rows)
        slots = asyncio.Semaphore(IN_FLIGHT_MAX)

        async def publish(row: OutboxRow) -> BaseException | None:
            async with slots:
                return await self._publish_row(row)

        return await asyncio.gather(*map(publish, rows))

    async def _publish_in_order(self, rows: Sequence[OutboxRow]) -> list[BaseException | None]:
        results: list[BaseException | None] = []
        for row in rows:
            failed = bool(results) and results[-1] is not None
            results.append(results[-1] if failed else await self._publish_row(row))
        return results

    async def _publish_row(self, row: OutboxRow) -> BaseException | None:
        """One attempt, as the rows are locked meanwhile; the loop is the retry."""
        message = Outgoing(row.subject, row.payload, row.event_id, row.headers)
        try:
            await send(self._js, message, attempts_max=1)
        except Exception as error:
            return error
        return None


def _url(sessions: async_sessionmaker[AsyncSession]) -> str:
    engine: Any = sessions.kw["bind"]
    assert isinstance(engine, AsyncEngine)
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
