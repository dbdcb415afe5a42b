"""Catching up with opt-outs that are older than what the bus keeps.

Read from twoway once for each application, and again when the mark of it has become old and was
deleted, so that an opt-out that was missed is missed no longer than that.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from heliograph.paging import pages
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from heliograph.twoway.v1.opt_out_list_pb2 import OptedOutNumber
from mesh import worker
from mesh.store import engine
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.consent import store
from audience.consent.facts import EVERYBODY, Fact, list_id

if TYPE_CHECKING:
    from heliograph.twoway.v1.opt_out_service_pb2_grpc import OptOutServiceAsyncStub

PAGE_SIZE: Final = 1_000
INTERVAL_SECONDS: Final = 60.0
EVERY_LIST: Final = ""
"""The list of the fact that marks an application as caught up."""


class CatchingUp:
    """Reads the lists of applications that are not marked, one application after the other."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        opt_outs: "OptOutServiceAsyncStub",
        now: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._opt_outs = opt_outs
        self._now = now

    async def run(self) -> None:
        """Catch up until cancelled; who does not answer is asked again soon."""
        await worker.run("opt-outs", self.step, poll_seconds=INTERVAL_SECONDS)

    async def step(self) -> bool:
        """Catch up with one application; False when there is none to be caught up with."""
        async with self._sessions() as session:
            application = await store.behind(await engine.raw(session))
        if application is None:
            return False
        begun = self._now()
        async for facts in self._listed(application):
            await self._keep(facts)
        await self._keep([Fact(application, EVERYBODY, EVERY_LIST, False, begun)])
        return True

    async def _listed(self, application: str) -> AsyncIterator[list[Fact]]:
        lists = pb.ListOptOutListsRequest(parent=f"applications/{application}", page_size=PAGE_SIZE)
        async for answer in pages(self._opt_outs.ListOptOutLists, lists):
            for one in answer.opt_out_lists:
                numbers = pb.ListOptedOutNumbersRequest(parent=one.name, page_size=PAGE_SIZE)
                async for page in pages(self._opt_outs.ListOptedOutNumbers, numbers):
                    yield [_fact(application, one.name, row) for row in page.opted_out_numbers]

    async def _keep(self, facts: list[Fact]) -> None:
        if facts:
            async with self._sessions.begin() as session:
                await store.keep(await engine.raw(session), facts)


def _fact(application: str, list_name: str, row: OptedOutNumber) -> Fact:
    return Fact(
        application=application,
        address=row.name.rpartition("/")[2],
        opt_out_list=list_id(list_name),
        opted_out=True,
        change_time=row.opt_out_time.ToDatetime(tzinfo=UTC),
        origination_identity=row.origination_identity,
    )
