"""The loop that closes runs: every member handed over, and every message past its sending.

What became of the members is read from the ledger, never kept along the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1 import message_service_pb2, message_service_pb2_grpc
from heliograph.messaging.v1.message_pb2 import Message
from mesh.errors import Error
from mesh.eventing import outbox
from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import campaigns, names, store
from campaign.tables import RunRow

log = logging.get(__name__)

CHECK_INTERVAL = timedelta(seconds=1)
UNDER_WAY = {Message.ACCEPTED, Message.HANDING, Message.UNKNOWN}


@dataclass(frozen=True)
class Ledger:
    """A run's counts, asked from messaging."""

    messages: "message_service_pb2_grpc.MessageServiceAsyncStub"

    async def counts(self, run: RunRow) -> list[Run.Count]:
        """What became of a run's members so far."""
        answer = await self.messages.CountMessages(
            message_service_pb2.CountMessagesRequest(
                parent=f"applications/{run.application}", run=names.run_name(run)
            )
        )
        return [
            Run.Count(
                treatment=count.treatment,
                state=count.state,
                reason=count.reason,
                count=count.count,
            )
            for count in answer.counts
        ]


def settled(members: int, counts: Sequence[Run.Count]) -> bool:
    """Whether every member has its row and no message is still under way."""
    total = sum(count.count for count in counts)
    return total >= members and not any(count.state in UNDER_WAY for count in counts)


@dataclass(frozen=True)
class Closing:
    """What closing runs needs."""

    sessions: async_sessionmaker[AsyncSession]
    ledger: Ledger
    worker: str
    now: Callable[[], datetime]
    lease: timedelta

    async def step(self) -> bool:
        """Look at one run that has been handed over; false when none is waiting."""
        async with self.sessions.begin() as session:
            run = await store.take_run(session, "SENDING", self.worker, self.now(), self.lease)
        if run is None:
            return False
        try:
            counts = await self.ledger.counts(run)
        except Error as error:
            log.warning("ledger unreachable", run=names.run_name(run), error=str(error))
            counts = None
        if counts is not None and settled(run.members, counts):
            await self._close(run, counts)
        else:
            await self._release(run)
        return True

    async def _release(self, run: RunRow) -> None:
        async with self.sessions.begin() as session:
            await store.release(session, run, self.now() + CHECK_INTERVAL)

    async def _close(self, run: RunRow, counts: Sequence[Run.Count]) -> None:
        name = names.run_name(run)
        async with self.sessions.begin() as session:
            # Campaign before run, as everywhere, so that no two transactions wait for each other.
            campaign_row = await store.get(session, name.partition("/runs/")[0], lock=True)
            row = await store.get_run(session, name, lock=True)
            if row.state != "SENDING" or row.worker != run.worker:
                return
            row.members = sum(count.count for count in counts)
            finished = campaigns.end_run(row, "COMPLETED", self.now())
            outbox.publish(session, finished, run.application)
            completed = campaigns.after_run(campaign_row, self.now())
            if completed is not None:
                outbox.publish(session, completed, run.application)
