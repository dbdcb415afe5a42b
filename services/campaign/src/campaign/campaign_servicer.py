"""CampaignService: open, get, ask, publish, commit, render."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from google.protobuf.empty_pb2 import Empty
from heliograph.campaign.v1 import campaign_service_pb2 as pb
from heliograph.campaign.v1 import events_pb2
from heliograph.campaign.v1.campaign_pb2 import Campaign, CampaignVersion
from mesh.aip import etags, field_masks, request_ids
from mesh.aip.pagination import Page
from mesh.eventing import outbox
from mesh.rpc import validation
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import audience, campaigns, definitions, names, render, store
from campaign.tables import CampaignRow, RunRow

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000
NEWEST = 2**31 - 1
CHECK_CAMPAIGN = validation.request_check(Campaign)
"""The rules of a whole campaign; an update is checked with them once it has been applied."""


class CampaignServicer:
    """Campaigns of this mesh."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        segments: audience.Segments,
        now: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._segments = segments
        self._now = now

    async def GetCampaign(self, request: pb.GetCampaignRequest, context: object) -> Campaign:
        async with self._sessions() as session:
            return render.campaign(await store.get(session, request.name))

    async def ListCampaigns(
        self, request: pb.ListCampaignsRequest, context: object
    ) -> pb.ListCampaignsResponse:
        application = names.application_of(request.parent)
        page = Page(request, PAGE_SIZE, PAGE_SIZE_MAX)
        state = Campaign.State.Name(request.state) if request.state else ""
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.page(session, application, state, after, page.limit)
        rows, token = page.cut(rows, lambda row: [row.campaign])
        return pb.ListCampaignsResponse(campaigns=map(render.campaign, rows), next_page_token=token)

    async def CreateCampaign(self, request: pb.CreateCampaignRequest, context: object) -> Campaign:
        application = names.application_of(request.parent)
        definitions.check(request.campaign, request.parent)
        written = definitions.definition(request.campaign)
        now = self._now()
        row = CampaignRow(
            application=application,
            campaign=request.campaign_id or f"c-{uuid4().hex[:12]}",
            definition=written.SerializeToString(deterministic=True),
            daily_max=written.limits.daily,
            create_time=now,
            update_time=now,
        )

        async with self._sessions.begin() as session:

            async def create() -> Campaign:
                await store.add(session, row)
                return render.campaign(row)

            return await request_ids.once(session, request, application, create)

    async def UpdateCampaign(self, request: pb.UpdateCampaignRequest, context: object) -> Campaign:
        async with self._sessions.begin() as session:
            row = await store.get(session, request.campaign.name, lock=True)
            etags.check(row.revision, request.campaign.etag)
            changed = render.campaign(row)
            field_masks.apply(request.update_mask, request.campaign, changed)
            CHECK_CAMPAIGN(changed)
            campaigns.edit(row, definitions.definition(changed), self._now())
            store.add_version(session, row)
            return render.campaign(row)

    async def DeleteCampaign(self, request: pb.DeleteCampaignRequest, context: object) -> Empty:
        async with self._sessions.begin() as session:
            row = await store.get(session, request.name, lock=True)
            etags.check(row.revision, request.etag)
            campaigns.check_deletable(row)
            await store.delete(session, row)
            event = events_pb2.CampaignDeleted(campaign=request.name)
            outbox.publish(session, event, row.application)
        return Empty()

    async def LaunchCampaign(self, request: pb.LaunchCampaignRequest, context: object) -> Campaign:
        async with self._sessions() as session:
            written = campaigns.written(await store.get(session, request.name))
        await self._segments.check(written)
        async with self._sessions.begin() as session:

            async def launch() -> Campaign:
                row = await store.get(session, request.name, lock=True)
                etags.check(row.revision, request.etag)
                event = campaigns.launch(row, self._now())
                outbox.publish(session, event, row.application)
                return render.campaign(row)

            application = names.campaign_key(request.name)[0]
            return await request_ids.once(session, request, application, launch)

    async def PauseCampaign(self, request: pb.PauseCampaignRequest, context: object) -> Campaign:
        async with self._sessions.begin() as session:

            async def pause() -> Campaign:
                row, run = await self._locked(session, request)
                event = campaigns.pause(row, self._now())
                if run is not None and run.state == "FANNING_OUT":
                    campaigns.move_run(run, "paused")
                outbox.publish(session, event, row.application)
                return render.campaign(row)

            application = names.campaign_key(request.name)[0]
            return await request_ids.once(session, request, application, pause)

    async def ResumeCampaign(self, request: pb.ResumeCampaignRequest, context: object) -> Campaign:
        async with self._sessions.begin() as session:
            row, run = await self._locked(session, request)
            event = campaigns.resume(row, run, self._now())
            if run is not None and run.state == "PAUSED":
                campaigns.move_run(run, "resumed")
            outbox.publish(session, event, row.application)
            return render.campaign(row)

    async def CancelCampaign(self, request: pb.CancelCampaignRequest, context: object) -> Campaign:
        async with self._sessions.begin() as session:
            row, run = await self._locked(session, request)
            event = campaigns.cancel(row, self._now())
            outbox.publish(session, event, row.application)
            if run is not None and run.state not in campaigns.RUN_ENDED:
                campaigns.move_run(run, "cancelled")
                finished = campaigns.end_run(run, run.state, self._now())
                outbox.publish(session, finished, row.application)
            return render.campaign(row)

    async def GetCampaignVersion(
        self, request: pb.GetCampaignVersionRequest, context: object
    ) -> CampaignVersion:
        async with self._sessions() as session:
            return render.version(await store.get_version(session, request.name))

    async def ListCampaignVersions(
        self, request: pb.ListCampaignVersionsRequest, context: object
    ) -> pb.ListCampaignVersionsResponse:
        application, campaign = names.campaign_key(request.parent)
        page = Page(request, PAGE_SIZE, PAGE_SIZE_MAX)
        before = int(str(page.after[0])) if page.after else NEWEST
        async with self._sessions() as session:
            await store.get(session, request.parent)
            rows = await store.versions(session, application, campaign, before, page.limit)
        rows, token = page.cut(rows, lambda row: [row.version])
        return pb.ListCampaignVersionsResponse(
            campaign_versions=map(render.version, rows), next_page_token=token
        )

    async def _locked(
        self,
        session: AsyncSession,
        request: pb.PauseCampaignRequest | pb.ResumeCampaignRequest | pb.CancelCampaignRequest,
    ) -> tuple[CampaignRow, RunRow | None]:
        row = await store.get(session, request.name, lock=True)
        etags.check(row.revision, request.etag)
        return row, await store.latest_run(session, row, lock=True)
