"""The loop that hands a run's members to messaging, page by page, from its cursor.

Only when the bus has acknowledged a page does the cursor move; a replica that dies in between
leaves a page that is handed over twice, which the ledger makes harmless.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from heliograph import subjects
from heliograph.audience.v1 import segment_service_pb2, segment_service_pb2_grpc
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.errors import Error, FailedPrecondition, NotFound
from mesh.eventing import outbox, publisher
from mesh.telemetry import logging, tracing
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import batches, campaigns, names, rules, store
from campaign.pacing import Pace, Sending
from campaign.settings import Settings
from campaign.tables import CampaignVersionRow, RunRow

log = logging.get(__name__)

RETRY_DELAY = timedelta(seconds=2)
QUEUE_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Fanout:
    """What fan-out needs: its store, its neighbours, and who it is."""

    sessions: async_sessionmaker[AsyncSession]
    js: JetStreamContext
    segments: "segment_service_pb2_grpc.SegmentServiceAsyncStub"
    applications: rules.Applications
    worker: str
    now: Callable[[], datetime]
    settings: Settings

    async def step(self) -> bool:
        """Take a run that nobody sends and send it to its end; false when there is none.

        One that turns out to be paced is left to those who take such runs.
        """
        run = await self._take(paced=False)
        if run is None:
            return False
        await self._send(run)
        return True

    async def take_paced(self) -> Sending | None:
        """Take a paced run that nobody sends; what sends it to its end."""
        own = replace(self, worker=f"{self.worker}-{uuid4().hex[:8]}")
        run = await own._take(paced=True)
        return None if run is None else partial(own._send, run)

    async def _take(self, *, paced: bool) -> RunRow | None:
        async with self.sessions.begin() as session:
            return await store.take_run(
                *(session, "FANNING_OUT", self.worker, self.now(), self.settings.lease),
                paced=paced,
            )

    async def _send(self, run: RunRow) -> None:
        with tracing.tracer.start_as_current_span("fan out"):
            await self._try_to_send(run)

    async def _try_to_send(self, run: RunRow) -> None:
        paced = run.messages_per_second > 0
        try:
            plan = await self._plan(run)
            if (plan.messages_per_second > 0) != paced:
                await self._release(run, timedelta())
            elif await self._send_pages(run, plan):
                await self._finish(run)
        except (NotFound, FailedPrecondition) as error:
            await self._fail(run, error.message)
        except (Error, NatsError, OSError) as error:
            log.warning("fan-out interrupted", run=names.run_name(run), error=str(error))
            await self._release(run, RETRY_DELAY)

    async def _send_pages(self, run: RunRow, plan: batches.Plan) -> bool:
        """Hand over page after page; false when the run was held, ended or taken over meanwhile."""
        pace = Pace(plan.messages_per_second)
        async for page in self._pages(run, plan.campaign.segment):
            for members, last in pace.parts(page):
                await pace.turn(len(members))
                await self._wait_for_room(run.application)
                await self._publish(run, plan, members)
                if not await self._advance(run, last, len(members)):
                    return False
        return True

    async def _publish(self, run: RunRow, plan: batches.Plan, members: Sequence[Endpoint]) -> None:
        for batch in batches.batches(plan, members):
            await publisher.publish(
                self.js,
                batch,
                run.application,
                msg_id=f"{names.run_name(run)}:{batch.batch_id}",
                suffix=subjects.BULK,
            )

    async def _plan(self, run: RunRow) -> batches.Plan:
        key = (run.application, run.campaign, run.campaign_version)
        async with self.sessions() as session:
            campaign_row = await store.get(session, _campaign_name(run))
            version = await session.get(CampaignVersionRow, key)
        if version is None:
            raise NotFound("CAMPAIGN_VERSION_NOT_FOUND", "the run's campaign version is gone")
        campaign = Campaign.FromString(version.definition)
        campaign.name = _campaign_name(run)
        campaign.create_time.FromDatetime(campaign_row.create_time)
        if run.rules is None:
            await self._fix_rules(run, campaign)
        return batches.plan(run, campaign)

    async def _fix_rules(self, run: RunRow, campaign: Campaign) -> None:
        settings = await self.applications.settings(run.application)
        async with self.sessions.begin() as session:
            await rules.fix(session, run, campaign, settings)

    def _pages(self, run: RunRow, segment: str) -> AsyncIterator[segment_service_pb2.MemberPage]:
        request = segment_service_pb2.StreamMembersRequest(
            name=segment,
            page_size=self.settings.page_size,
            after=run.cursor,
            read_time=campaigns.timestamp(run.start_time),
        )
        stream: Any = self.segments.StreamMembers(request)
        return stream  # type: ignore[no-any-return]

    async def _wait_for_room(self, application: str) -> None:
        subject = subjects.subject(SendBatch, application, subjects.BULK)
        while await self._queued(subject) >= self.settings.queued_batches_max:  # noqa: ASYNC110  # the bus only tells when asked
            await asyncio.sleep(QUEUE_POLL_SECONDS)

    async def _queued(self, subject: str) -> int:
        info = await self.js.stream_info(subjects.SENDS.name, subjects_filter=subject)
        return (info.state.subjects or {}).get(subject, 0)

    async def _advance(self, run: RunRow, last: str, count: int) -> bool:
        async with self.sessions.begin() as session:
            return await store.advance(session, run, last, count, self.now() + self.settings.lease)

    async def _release(self, run: RunRow, delay: timedelta) -> None:
        async with self.sessions.begin() as session:
            await store.release(session, run, self.now() + delay)

    async def _finish(self, run: RunRow) -> None:
        async with self.sessions.begin() as session:
            await store.leave(session, run, "SENDING", self.now())

    async def _fail(self, run: RunRow, failure: str) -> None:
        async with self.sessions.begin() as session:
            campaign_row = await store.get(session, _campaign_name(run), lock=True)
            row = await store.get_run(session, names.run_name(run), lock=True)
            if row.worker != run.worker or row.state != run.state:
                return
            row.failure = failure
            outbox.publish(session, campaigns.end_run(row, "FAILED", self.now()), run.application)
            completed = campaigns.after_run(campaign_row, self.now())
            if completed is not None:
                outbox.publish(session, completed, run.application)


def _campaign_name(run: RunRow) -> str:
    return names.run_name(run).partition("/runs/")[0]
