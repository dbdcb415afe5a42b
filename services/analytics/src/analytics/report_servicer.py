"""ReportService: one question to the event store each."""

from collections.abc import Callable
from datetime import datetime

from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.analytics.v1.campaign_report_pb2 import CampaignReport
from heliograph.analytics.v1.funnel_pb2 import Funnel
from mesh.aip import resource_names
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from analytics import names, render, store
from analytics.eventstore.client import EventStore
from analytics.reports import activity, campaign_messages, campaign_report, funnels, intervals


class ReportServicer:
    """Reports of this mesh."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        events: EventStore,
        now: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._events = events
        self._now = now

    async def GetCampaignReport(
        self, request: pb.GetCampaignReportRequest, context: object
    ) -> CampaignReport:
        ids = names.parsed(names.CAMPAIGN, request.name)
        run_id = _run_of(request) if request.run else ""
        asked = campaign_report.statement(ids["application"], ids["campaign"], run_id)
        rows = await self._events.query(asked.text, asked.values)
        return campaign_report.answer(request.name, rows)

    async def QueryCampaignMessages(
        self, request: pb.QueryCampaignMessagesRequest, context: object
    ) -> pb.QueryCampaignMessagesResponse:
        application = names.application_of(request.parent)
        asked = campaign_messages.statement(application, request.questions)
        rows = await self._events.query(asked.text, asked.values)
        found = campaign_messages.answers(len(request.questions), rows)
        return pb.QueryCampaignMessagesResponse(answers=found)

    async def QueryActivity(
        self, request: pb.QueryActivityRequest, context: object
    ) -> pb.QueryActivityResponse:
        application = names.application_of(request.parent)
        days = intervals.days(request, request.time_zone, self._now())
        asked = activity.statement(application, days)
        return activity.answer(await self._events.query(asked.text, asked.values))

    async def QueryFunnel(
        self, request: pb.QueryFunnelRequest, context: object
    ) -> pb.QueryFunnelResponse:
        application = names.application_of(request.parent)
        start_time, end_time = intervals.ends(request, self._now())
        funnel = await self._funnel(application, request)
        asked = funnels.statement(application, funnel, start_time, end_time)
        rows = await self._events.query(asked.text, asked.values)
        return funnels.answer(funnel, rows)

    async def _funnel(self, application: str, request: pb.QueryFunnelRequest) -> Funnel:
        if request.WhichOneof("source") == "funnel":
            funnels.check(request.funnel)
            return request.funnel
        ids = names.parsed(names.FUNNEL, request.name)
        if ids["application"] != application:
            pattern = f"{request.parent}/funnels/{{funnel}}"
            raise resource_names.invalid(pattern, request.name, "name")
        async with self._sessions() as session:
            return render.funnel(await store.funnel(session, application, ids["funnel"]))


def _run_of(request: pb.GetCampaignReportRequest) -> str:
    """The run's id; the run must be one of the campaign's."""
    ids = names.parsed(names.RUN, request.run, field="run")
    if not request.run.startswith(f"{request.name}/"):
        raise resource_names.invalid(f"{request.name}/runs/{{run}}", request.run, "run")
    return ids["run"]
