"""FunnelService: funnels that are kept."""

from datetime import UTC, datetime
from uuid import uuid4

from google.protobuf.empty_pb2 import Empty
from heliograph.analytics.v1 import funnel_service_pb2 as pb
from heliograph.analytics.v1.funnel_pb2 import Funnel
from mesh.aip import etags, field_masks, request_ids
from mesh.aip.pagination import Page
from mesh.rpc import validation
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from analytics import names, render, store
from analytics.reports import funnels
from analytics.tables import FunnelRow

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000
CHECK_FUNNEL = validation.request_check(Funnel)
"""The rules of a whole funnel; an update is checked with them once it has been applied."""


class FunnelServicer:
    """Funnels of this mesh."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def GetFunnel(self, request: pb.GetFunnelRequest, context: object) -> Funnel:
        ids = names.parsed(names.FUNNEL, request.name)
        async with self._sessions() as session:
            return render.funnel(await store.funnel(session, ids["application"], ids["funnel"]))

    async def ListFunnels(
        self, request: pb.ListFunnelsRequest, context: object
    ) -> pb.ListFunnelsResponse:
        application = names.application_of(request.parent)
        page = Page(request, PAGE_SIZE, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.funnels(session, application, after, page.limit)
        rows, token = page.cut(rows, lambda row: [row.funnel])
        return pb.ListFunnelsResponse(funnels=map(render.funnel, rows), next_page_token=token)

    async def CreateFunnel(self, request: pb.CreateFunnelRequest, context: object) -> Funnel:
        application = names.application_of(request.parent)
        funnels.check(request.funnel)
        now = datetime.now(UTC)
        row = FunnelRow(
            application=application,
            funnel=request.funnel_id or f"f-{uuid4().hex[:12]}",
            definition=render.definition(request.funnel),
            create_time=now,
            update_time=now,
        )

        async with self._sessions.begin() as session:

            async def create() -> Funnel:
                await store.add_funnel(session, row)
                return render.funnel(row)

            return await request_ids.once(session, request, application, create)

    async def UpdateFunnel(self, request: pb.UpdateFunnelRequest, context: object) -> Funnel:
        ids = names.parsed(names.FUNNEL, request.funnel.name, field="funnel.name")
        async with self._sessions.begin() as session:
            row = await store.funnel(session, ids["application"], ids["funnel"], lock=True)
            etags.check(row.revision, request.funnel.etag)
            changed = render.funnel(row)
            field_masks.apply(request.update_mask, request.funnel, changed)
            CHECK_FUNNEL(changed)
            funnels.check(changed)
            row.definition = render.definition(changed)
            row.revision += 1
            row.update_time = datetime.now(UTC)
        return render.funnel(row)

    async def DeleteFunnel(self, request: pb.DeleteFunnelRequest, context: object) -> Empty:
        ids = names.parsed(names.FUNNEL, request.name)
        async with self._sessions.begin() as session:
            row = await store.funnel(session, ids["application"], ids["funnel"], lock=True)
            etags.check(row.revision, request.etag)
            await session.delete(row)
        return Empty()
