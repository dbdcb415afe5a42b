"""A token of one application neither writes nor reads another's events and reports."""

import pytest
from analytics_samples import checkout, event
from analytics_store import put, stored
from heliograph.analytics.v1 import event_service_pb2 as events_pb
from heliograph.analytics.v1 import report_service_pb2 as reports_pb
from heliograph.analytics.v1.event_service_pb2_grpc import EventServiceStub
from heliograph.analytics.v1.report_service_pb2_grpc import ReportServiceStub
from mesh.errors import PermissionDenied


async def test_a_foreign_token_can_neither_write_nor_read(
    service, application, rpc_connect, mint_token
) -> None:
    await put(service, application, event())
    await stored(service, application, 1)
    stranger = EventServiceStub(rpc_connect(service.address, token=mint_token(["elsewhere"])))
    parent = f"applications/{application}"

    async def messages():
        yield events_pb.StreamEventsRequest(parent=parent, events=[event(1)])

    calls = [
        stranger.PutEvents(events_pb.PutEventsRequest(parent=parent, events=[event(1)])),
        stranger.StreamEvents(messages()),
        stranger.GetEvent(events_pb.GetEventRequest(name=f"{parent}/events/event-0")),
        stranger.ListEvents(events_pb.ListEventsRequest(parent=parent)),
        stranger.ListEventTypes(events_pb.ListEventTypesRequest(parent=parent)),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call
    own = await stranger.ListEvents(events_pb.ListEventsRequest(parent="applications/elsewhere"))
    assert not own.events


async def test_a_foreign_token_gets_no_report(
    service, application, rpc_connect, mint_token
) -> None:
    stranger = ReportServiceStub(rpc_connect(service.address, token=mint_token(["elsewhere"])))
    parent = f"applications/{application}"
    campaign = f"{parent}/campaigns/spring"

    calls = [
        stranger.GetCampaignReport(reports_pb.GetCampaignReportRequest(name=campaign)),
        stranger.QueryActivity(reports_pb.QueryActivityRequest(parent=parent)),
        stranger.QueryFunnel(reports_pb.QueryFunnelRequest(parent=parent, funnel=checkout("a"))),
        stranger.QueryFunnel(
            reports_pb.QueryFunnelRequest(
                parent="applications/elsewhere", name=f"{parent}/funnels/f"
            )
        ),
        stranger.GetCampaignReport(
            reports_pb.GetCampaignReportRequest(
                name="applications/elsewhere/campaigns/c", run=f"{campaign}/runs/r"
            )
        ),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call
