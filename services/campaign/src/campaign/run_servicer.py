"""RunService: runs with their counts from the ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from heliograph.campaign.v1 import run_service_pb2 as pb
from heliograph.campaign.v1.run_pb2 import Run
from mesh.aip.pagination import Page
from mesh.errors import Unavailable
from mesh.eventing import outbox
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import campaigns, names, render, store
from campaign.closing import Ledger
from campaign.tables import CampaignRow, RunRow

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000
WATCH_INTERVAL_SECONDS = 0.5


class RunServicer:
    """Runs of this mesh."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        ledger: Ledger,
        now: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._ledger = ledger
        self._now = now

    async def GetRun(self, request: pb.GetRunRequest, context: object) -> Run:
        return await self._read(request.name)

    async def ListRuns(self, request: pb.ListRunsRequest, context: object) -> pb.ListRunsResponse:
        application, campaign = names.campaign_key(request.parent)
        page = Page(request, PAGE_SIZE, PAGE_SIZE_MAX)
        before = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            await store.get(session, request.parent)
            rows = await store.runs(session, application, campaign, before, page.limit)
        rows, token = page.cut(rows, lambda row: [row.run])
        return pb.ListRunsResponse(runs=map(render.run, rows), next_page_token=token)

    async def PauseRun(self, request: pb.PauseRunRequest, context: object) -> Run:
        async with self._sessions.begin() as session:
            _, run = await self._locked(session, request.name)
            campaigns.move_run(run, "paused")
            return render.run(run)

    async def ResumeRun(self, request: pb.ResumeRunRequest, context: object) -> Run:
        async with self._sessions.begin() as session:
            _, run = await self._locked(session, request.name)
            campaigns.move_run(run, "resumed")
            return render.run(run)

    async def CancelRun(self, request: pb.CancelRunRequest, context: object) -> Run:
        async with self._sessions.begin() as session:
            row, run = await self._locked(session, request.name)
            campaigns.move_run(run, "cancelled")
            finished = campaigns.end_run(run, run.state, self._now())
            outbox.publish(session, finished, run.application)
            completed = campaigns.after_run(row, self._now())
            if completed is not None:
                outbox.publish(session, completed, run.application)
            return render.run(run)

    async def WatchRun(self, request: pb.WatchRunRequest, context: object) -> AsyncIterator[Run]:
        shown: bytes | None = None
        while True:
            run = await self._read(request.name, tolerant=shown is not None)
            content = _without_read_time(run)
            if content != shown:
                shown = content
                yield run
            if Run.State.Name(run.state) in campaigns.RUN_ENDED:
                return
            await asyncio.sleep(WATCH_INTERVAL_SECONDS)

    async def _read(self, name: str, *, tolerant: bool = False) -> Run:
        """A run with its counts; a tolerant reader does without them while messaging is away."""
        async with self._sessions() as session:
            row = await store.get_run(session, name)
        try:
            counts = await self._ledger.counts(row)
        except Unavailable:
            if not tolerant:
                raise
            return render.run(row)
        return render.run(row, counts, self._now())

    async def _locked(self, session: AsyncSession, name: str) -> tuple[CampaignRow, RunRow]:
        """Campaign before run, as everywhere, so that no two transactions wait for each other."""
        row = await store.get(session, name.partition("/runs/")[0], lock=True)
        return row, await store.get_run(session, name, lock=True)


def _without_read_time(run: Run) -> bytes:
    copy = Run()
    copy.CopyFrom(run)
    copy.ClearField("read_time")
    return copy.SerializeToString(deterministic=True)
