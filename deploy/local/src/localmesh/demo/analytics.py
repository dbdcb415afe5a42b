"""What people did in the app, and the reports over everything."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.analytics.v1.campaign_report_pb2 import CampaignReport
from heliograph.analytics.v1.event_filter_pb2 import EventFilter
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import PutEventsRequest
from heliograph.analytics.v1.funnel_pb2 import Funnel, FunnelStep

from localmesh.demo.receipts import until
from localmesh.demo.world import PARENT, World
from localmesh.sample import app_events

ACTIVE_PEOPLE = 3_000
BATCH_SIZE = 100


async def put_events(world: World) -> None:
    """Three thousand people use the app."""
    active = world.people[:ACTIVE_PEOPLE]
    events = list(app_events.events(active, datetime.now(UTC)))
    accepted = 0
    remaining = iter(events)
    while batch := list(islice(remaining, BATCH_SIZE)):
        answer = await world.mesh.events.PutEvents(PutEventsRequest(parent=PARENT, events=batch))
        accepted += answer.accepted_count
    world.account.step("App events recorded", events=len(events), accepted=accepted)
    world.account.expect("accepted events", accepted, len(events))
    await _report_activity(world, len(active))
    await _report_funnel(world, events)
    world.account.events_stored += accepted


async def _report_activity(world: World, active: int) -> None:
    request = pb.QueryActivityRequest(parent=PARENT)
    now = datetime.now(UTC)
    # The sample's sessions began within the last hour, which may be yesterday by UTC.
    request.start_time.FromDatetime(now - timedelta(hours=2))
    request.end_time.FromDatetime(now)

    async def look() -> int:
        answer = await world.mesh.reports.QueryActivity(request)
        return sum(day.daily_active_endpoints for day in answer.days)

    found = await until(look, lambda seen: seen >= active)
    world.account.step("Daily active endpoints", endpoints=found)
    world.account.expect("daily active endpoints", found, active)


async def _report_funnel(world: World, events: list[Event]) -> None:
    steps = [FunnelStep(filter=EventFilter(event_type=step)) for step in app_events.FUNNEL]
    funnel = Funnel(steps=steps, subject=Funnel.ENDPOINT)
    funnel.window.FromTimedelta(timedelta(hours=1))
    request = pb.QueryFunnelRequest(parent=PARENT, funnel=funnel)
    now = datetime.now(UTC)
    request.start_time.FromDatetime(now - timedelta(hours=2))
    request.end_time.FromDatetime(now)
    answer = await world.mesh.reports.QueryFunnel(request)
    found = {
        event_type: result.count
        for event_type, result in zip(app_events.FUNNEL, answer.steps, strict=True)
    }
    expected = {
        event_type: sum(event.event_type == event_type for event in events)
        for event_type in app_events.FUNNEL
    }
    world.account.step("Funnel from view to purchase", **{"endpoints": found})
    world.account.expect("funnel", found, expected)


async def report_campaigns(world: World) -> None:
    """Each campaign's report must agree with the account."""
    sent = skipped = 0
    for campaign in ("autumn", "winter", "letters"):
        report = await _campaign_report(world, campaign)
        counts = report.total
        sent += counts.sent
        skipped += counts.skipped
        world.account.step(
            f"Report of campaign {campaign}",
            targeted=counts.targeted,
            sent=counts.sent,
            delivered=counts.delivered,
            failed=counts.failed,
            skipped=counts.skipped,
        )
        world.account.events_stored += (
            counts.sent + counts.delivered + counts.failed + counts.skipped
        )
    world.account.expect("sent, by analytics", sent, world.account.sent)


async def _campaign_report(world: World, campaign: str) -> CampaignReport:
    """The report once analytics has heard of every member."""
    request = pb.GetCampaignReportRequest(name=f"{PARENT}/campaigns/{campaign}")
    members = world.account.members_by_campaign[campaign]

    async def look() -> CampaignReport:
        found: CampaignReport = await world.mesh.reports.GetCampaignReport(request)
        return found

    return await until(look, lambda seen: seen.total.targeted >= members)
