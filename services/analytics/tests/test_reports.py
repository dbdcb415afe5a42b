"""Reports, asked through the front door of what was stored."""

from datetime import timedelta

import pytest
from analytics.consumers import HEARD
from analytics_samples import NOW, changed, event, message_event, stamp
from google.protobuf.duration_pb2 import Duration
from heliograph.analytics.v1 import funnel_service_pb2 as funnels_pb
from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.analytics.v1.event_filter_pb2 import AttributeFilter, EventFilter
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import ListEventsRequest
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.analytics.v1.funnel_pb2 import Funnel, FunnelStep
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.messaging.v1.events_pb2 import MessageEvent, MessagesChanged
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from mesh.eventing import publisher
from mesh.testkit import eventually

K = MessageEvent


async def store_events(event_store, application: str, *events: Event) -> None:
    """Straight into the store, through the door that the consumer uses."""
    recorded = EventsRecorded(application=application, events=events, receive_time=stamp(NOW))
    await event_store.insert(
        HEARD[EventsRecorded][1], EventsRecorded, [recorded.SerializeToString()]
    )


async def store_messages(event_store, application: str, *events: MessageEvent) -> None:
    await event_store.insert(
        HEARD[MessagesChanged][1],
        MessagesChanged,
        [changed(application, *events).SerializeToString()],
    )


def session(number: int, days_ago: float, endpoint: str, user: str = "") -> Event:
    return event(
        number,
        "_session.start",
        event_time=stamp(NOW - timedelta(days=days_ago)),
        endpoint_id=endpoint,
        user_id=user,
    )


async def campaign_report(service, campaign: str, run: str = ""):
    return await service.reports.GetCampaignReport(
        pb.GetCampaignReportRequest(name=campaign, run=run)
    )


async def test_a_campaign_report_adds_up(service, event_store, application) -> None:
    campaign = f"applications/{application}/campaigns/spring"
    run, later = f"{campaign}/runs/r1", f"{campaign}/runs/r2"
    await store_messages(
        event_store,
        application,
        *(message_event(n, K.SENT, run, parts=2) for n in range(6)),
        *(message_event(n, K.DELIVERED, run) for n in range(4)),
        message_event(4, K.FAILED, run, reason=Reason.UNDELIVERABLE),
        message_event(6, K.FAILED, run, reason=Reason.PROVIDER_REFUSED),
        message_event(7, K.SKIPPED, run, reason=Reason.OPTED_OUT, treatment="b"),
        message_event(8, K.SKIPPED, run, reason=Reason.HOLDOUT, treatment=""),
        message_event(9, K.SKIPPED, run, reason=Reason.HOLDOUT, treatment=""),
        message_event(0, K.OPENED, run),
        message_event(0, K.OPENED, run, event_id="again"),
        message_event(0, K.CLICKED, run),
        message_event(20, K.SENT, later, treatment="b"),
    )
    foreign = f"applications/{application}/campaigns/other/runs/r1"
    await store_messages(event_store, application, message_event(30, K.SENT, foreign))

    report = await campaign_report(service, campaign)

    total = report.total
    assert (total.targeted, total.sent, total.delivered) == (11, 7, 4)
    assert (total.failed, total.skipped) == (2, 3)
    assert total.targeted == total.sent + total.skipped + 1
    assert {part.reason: part.count for part in total.skipped_by_reason} == {
        Reason.HOLDOUT: 2,
        Reason.OPTED_OUT: 1,
    }
    assert {part.reason: part.count for part in total.failed_by_reason} == {
        Reason.UNDELIVERABLE: 1,
        Reason.PROVIDER_REFUSED: 1,
    }
    assert (total.opened, total.opens, total.clicked, total.clicks) == (1, 2, 1, 1)
    assert (total.unique_deliveries, total.parts_sent) == (4, 12)
    assert total.delivery_rate == pytest.approx(4 / 7)
    assert total.open_rate == pytest.approx(1 / 4)
    assert [part.run for part in report.runs] == [run, later]
    assert [part.counts.sent for part in report.runs] == [6, 1]
    assert [(p.treatment, p.counts.targeted) for p in report.treatments] == [
        ("", 2),
        ("a", 7),
        ("b", 2),
    ]
    assert [(p.treatment, p.counts.targeted) for p in report.runs[0].treatments] == [
        ("", 2),
        ("a", 7),
        ("b", 1),
    ]
    assert [(p.channel_type, p.counts.targeted) for p in report.channels] == [(channels.SMS, 11)]
    assert report.latest_event_time == stamp(NOW + timedelta(seconds=K.CLICKED))


async def test_a_campaign_report_can_be_of_one_run(service, event_store, application) -> None:
    campaign = f"applications/{application}/campaigns/spring"
    first, second = f"{campaign}/runs/r1", f"{campaign}/runs/r2"
    await store_messages(
        event_store,
        application,
        message_event(0, K.SENT, first),
        message_event(1, K.SENT, second),
    )

    report = await campaign_report(service, campaign, run=second)

    assert report.total.sent == 1
    assert [part.run for part in report.runs] == [second]
    with pytest.raises(InvalidArgument):
        await campaign_report(service, campaign, run=f"{campaign}x/runs/r1")


async def test_an_opening_that_the_app_tells_of_counts(service, event_store, application) -> None:
    campaign = f"applications/{application}/campaigns/spring"
    run = f"{campaign}/runs/r1"
    sent = [message_event(n, K.SENT, run, channel_type=channels.PUSH_FCM) for n in range(4)]
    await store_messages(event_store, application, *sent)

    def opened(number: int, **attributes: str) -> Event:
        attributes["message"] = sent[number].message
        return event(number, "_campaign.opened_notification", attributes=attributes)

    pinpoint = {"campaign_id": "spring", "campaign_activity_id": "r1"}
    await store_events(event_store, application, opened(0, run=run), opened(1, **pinpoint))
    await store_events(event_store, application, opened(0, run=run))
    await store_events(event_store, application, event(3, "_campaign.opened_notification"))

    report = await campaign_report(service, campaign)

    assert (report.total.sent, report.total.opened, report.total.opens) == (4, 2, 2)
    assert report.total.open_rate == pytest.approx(0.5)
    assert [(part.treatment, part.counts.opened) for part in report.treatments] == [("a", 2)]
    assert [part.channel_type for part in report.channels] == [channels.PUSH_FCM]


async def test_announcing_again_changes_no_report(service, event_store, application) -> None:
    campaign = f"applications/{application}/campaigns/spring"
    run = f"{campaign}/runs/r1"
    events = [message_event(n, kind, run) for n in range(50) for kind in (K.SENT, K.OPENED)]
    await store_messages(event_store, application, *events[:60])
    await store_messages(event_store, application, *events[40:])
    for again in events:
        again.event_time.CopyFrom(stamp(NOW + timedelta(hours=1)))
    await store_messages(event_store, application, *events[10:90])

    total = (await campaign_report(service, campaign)).total

    assert (total.sent, total.opened, total.opens) == (50, 50, 50)


async def test_what_mail_providers_do_not_return_is_delivered(
    service, event_store, application
) -> None:
    campaign = f"applications/{application}/campaigns/news"
    run = f"{campaign}/runs/r1"
    sent = [message_event(n, K.SENT, run, channel_type=channels.EMAIL) for n in range(4)]
    bounced = message_event(0, K.HARD_BOUNCED, run, channel_type=channels.EMAIL)
    complained = message_event(1, K.COMPLAINED, run, channel_type=channels.EMAIL)
    await store_messages(event_store, application, *sent, bounced, complained)

    total = (await campaign_report(service, campaign)).total

    assert (total.sent, total.delivered, total.hard_bounced, total.complained) == (4, 3, 1, 1)
    assert total.hard_bounce_rate == pytest.approx(1 / 4)


async def test_a_late_delivery_undoes_a_failure(service, event_store, application) -> None:
    campaign = f"applications/{application}/campaigns/spring"
    run = f"{campaign}/runs/r1"
    failed = message_event(0, K.FAILED, run, reason=Reason.OUTCOME_UNKNOWN)
    await store_messages(event_store, application, failed, message_event(0, K.DELIVERED, run))

    total = (await campaign_report(service, campaign)).total

    assert (total.targeted, total.sent, total.delivered, total.failed) == (1, 1, 1, 0)


async def test_a_campaign_without_messages_has_zeros(service, application) -> None:
    campaign = f"applications/{application}/campaigns/none"

    report = await campaign_report(service, campaign)

    assert report.campaign == campaign
    assert report.total.targeted == 0
    assert not report.total.HasField("delivery_rate")
    assert not report.runs


async def test_message_events_of_the_bus_reach_the_report(service, application) -> None:
    campaign = f"applications/{application}/campaigns/spring"
    events = [message_event(n, K.SENT, f"{campaign}/runs/r1") for n in range(100)]
    await publisher.publish(service.js, changed(application, *events[:70]), application)
    await publisher.publish(service.js, changed(application, *events[30:]), application)

    async def all_sent() -> bool:
        return (await campaign_report(service, campaign)).total.sent == 100

    await eventually(all_sent)


async def test_a_person_sees_messages_and_events_in_one_list(
    service, event_store, application
) -> None:
    run = f"applications/{application}/campaigns/spring/runs/r1"
    await store_messages(
        event_store,
        application,
        message_event(3, K.SKIPPED, run, reason=Reason.OPTED_OUT, context={"order": "7"}),
    )
    await store_events(event_store, application, event(endpoint_id="e3"))

    page = await service.events.ListEvents(
        ListEventsRequest(parent=f"applications/{application}", endpoint_id="e3")
    )

    skipped, added = (found.event for found in page.events)
    assert added.event_type == "cart.add"
    assert skipped.event_type == "_message.skipped"
    assert skipped.attributes["reason"] == "OPTED_OUT"
    assert skipped.attributes["campaign"] == "spring"
    assert skipped.attributes["channel"] == "SMS"
    assert skipped.attributes["order"] == "7"
    assert "address" not in skipped.attributes


async def test_activity_counts_sessions_and_nothing_else(service, event_store, application) -> None:
    await store_events(
        event_store,
        application,
        session(1, 0, "e1", "ada"),
        session(2, 0.01, "e1", "ada"),
        session(3, 0, "e2", "ada"),
        session(4, 1, "e3", "bob"),
        session(5, 20, "e1", "ada"),
        session(6, 29, "e4"),
        session(7, 31, "e5", "eve"),
        event(8, "cart.add", endpoint_id="e9", user_id="nobody"),
        event(9, "_session.stop", endpoint_id="e9", user_id="nobody"),
    )
    await store_events(event_store, application, session(1, 0, "e1", "ada"))

    answer = await service.reports.QueryActivity(
        pb.QueryActivityRequest(
            parent=f"applications/{application}", start_time=stamp(NOW - timedelta(days=2))
        )
    )

    two_ago, yesterday, today = answer.days
    assert (today.date.year, today.date.month, today.date.day) == (2026, 11, 20)
    assert (today.daily_active_endpoints, today.daily_active_users) == (2, 1)
    assert (today.monthly_active_endpoints, today.monthly_active_users) == (4, 2)
    assert (today.new_endpoints, today.new_users) == (1, 0)
    assert today.sessions == 3
    assert today.sessions_per_endpoint == pytest.approx(1.5)
    assert today.sessions_per_user == pytest.approx(3)
    assert today.sticky_factor == pytest.approx(0.5)
    assert (yesterday.daily_active_endpoints, yesterday.new_users) == (1, 1)
    assert (two_ago.daily_active_endpoints, two_ago.sessions) == (0, 0)
    assert two_ago.monthly_active_endpoints == 3
    assert not two_ago.HasField("sessions_per_endpoint")


async def test_a_day_is_a_day_of_the_asked_time_zone(service, event_store, application) -> None:
    await store_events(
        event_store,
        application,
        event(1, "_session.start", event_time=stamp(NOW.replace(hour=2) - timedelta(days=1))),
    )
    request = pb.QueryActivityRequest(
        parent=f"applications/{application}", start_time=stamp(NOW - timedelta(days=2))
    )

    utc = await service.reports.QueryActivity(request)
    request.time_zone = "America/New_York"
    new_york = await service.reports.QueryActivity(request)

    assert [day.sessions for day in utc.days] == [0, 1, 0]
    assert [day.sessions for day in new_york.days] == [1, 0, 0]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"time_zone": "Europe/Bonn"}, "TIME_ZONE_UNKNOWN"),
        ({"time_zone": "../etc/passwd"}, "TIME_ZONE_UNKNOWN"),
        ({"start_time": stamp(NOW), "end_time": stamp(NOW)}, "INTERVAL_INVALID"),
        ({"start_time": stamp(NOW - timedelta(days=367))}, "INTERVAL_INVALID"),
    ],
)
async def test_an_impossible_interval_is_refused(service, application, fields, reason) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await service.reports.QueryActivity(
            pb.QueryActivityRequest(parent=f"applications/{application}", **fields)
        )

    assert refused.value.reason == reason


def checkout(*types: str, **fields) -> Funnel:
    steps = [FunnelStep(filter=EventFilter(event_type=name)) for name in types]
    return Funnel(steps=steps, **fields)


async def test_a_funnel_counts_who_comes_how_far(service, event_store, application) -> None:
    def step(number: int, user: str, event_type: str, minute: int, **fields) -> Event:
        time = stamp(NOW - timedelta(hours=5) + timedelta(minutes=minute))
        return event(number, event_type, event_time=time, user_id=user, **fields)

    red = {"color": "red"}
    await store_events(
        event_store,
        application,
        step(1, "ada", "view", 0, attributes=red),
        step(2, "ada", "cart.add", 1),
        step(3, "ada", "buy", 2),
        step(4, "bob", "view", 0, attributes=red),
        step(5, "bob", "buy", 1),
        step(6, "eve", "cart.add", 0),
        step(7, "eve", "view", 1, attributes=red),
        step(8, "late", "view", 0, attributes=red),
        step(9, "late", "cart.add", 61),
        step(10, "blue", "view", 0, attributes={"color": "blue"}),
        step(11, "", "view", 0, attributes=red),
    )
    funnel = checkout("view", "cart.add", "buy", window=Duration(seconds=3600))
    funnel.steps[0].filter.attributes.add(
        key="color", operator=AttributeFilter.INCLUSIVE, values=["red", "green"]
    )

    answer = await service.reports.QueryFunnel(
        pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=funnel)
    )

    assert [step.count for step in answer.steps] == [4, 1, 1]
    assert [step.dropped for step in answer.steps] == [0, 3, 0]
    assert [step.share_of_first for step in answer.steps] == [1, 0.25, 0.25]
    assert [step.share_of_previous for step in answer.steps] == [1, 0.25, 1]
    assert [step.display_name for step in answer.steps] == ["view", "cart.add", "buy"]


async def test_a_funnel_may_begin_with_a_message(service, event_store, application) -> None:
    run = f"applications/{application}/campaigns/spring/runs/r1"
    sent = [
        message_event(n, K.DELIVERED, run, event_time=stamp(NOW - timedelta(hours=2)))
        for n in range(3)
    ]
    await store_messages(event_store, application, *sent)
    await store_events(event_store, application, event(1, "buy", endpoint_id="e1"))
    funnel = checkout("_message.delivered", "buy", subject=Funnel.ENDPOINT)
    funnel.steps[0].filter.attributes.add(key="campaign", values=["spring"])

    answer = await service.reports.QueryFunnel(
        pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=funnel)
    )

    assert [step.count for step in answer.steps] == [3, 1]


async def test_a_funnel_of_nobody_has_no_shares(service, application) -> None:
    answer = await service.reports.QueryFunnel(
        pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=checkout("a", "b"))
    )

    assert [step.count for step in answer.steps] == [0, 0]
    assert not answer.steps[0].HasField("share_of_first")


async def test_a_filter_that_contradicts_itself_is_refused(service, application) -> None:
    funnel = checkout("a")
    funnel.steps[0].filter.attributes.add(key="color")

    with pytest.raises(InvalidArgument) as refused:
        await service.reports.QueryFunnel(
            pb.QueryFunnelRequest(parent=f"applications/{application}", funnel=funnel)
        )

    assert refused.value.reason == "FILTER_INVALID"
    assert refused.value.violations[0].field == "funnel.steps[0].filter.attributes[0].values"


async def test_a_kept_funnel_lives_and_can_be_asked(service, event_store, application) -> None:
    parent = f"applications/{application}"
    create = funnels_pb.CreateFunnelRequest(
        parent=parent, funnel_id="checkout", funnel=checkout("cart.add"), request_id="r1"
    )
    await store_events(event_store, application, event())

    made = await service.funnels.CreateFunnel(create)
    again = await service.funnels.CreateFunnel(create)
    made.display_name = "Checkout"
    changed_funnel = await service.funnels.UpdateFunnel(
        funnels_pb.UpdateFunnelRequest(funnel=made, update_mask={"paths": ["display_name"]})
    )
    asked = await service.reports.QueryFunnel(pb.QueryFunnelRequest(parent=parent, name=made.name))

    assert again.name == made.name == f"{parent}/funnels/checkout"
    assert changed_funnel.display_name == "Checkout"
    assert [step.count for step in asked.steps] == [1]
    create.request_id = "r2"
    with pytest.raises(AlreadyExists):
        await service.funnels.CreateFunnel(create)
    listed = await service.funnels.ListFunnels(funnels_pb.ListFunnelsRequest(parent=parent))
    assert list(listed.funnels) == [changed_funnel]
    await service.funnels.DeleteFunnel(funnels_pb.DeleteFunnelRequest(name=made.name))
    with pytest.raises(NotFound):
        await service.funnels.GetFunnel(funnels_pb.GetFunnelRequest(name=made.name))


async def test_a_foreign_token_gets_no_report(
    service, application, rpc_connect, mint_token
) -> None:
    from heliograph.analytics.v1.report_service_pb2_grpc import ReportServiceStub

    stranger = ReportServiceStub(rpc_connect(service.address, token=mint_token(["elsewhere"])))
    parent = f"applications/{application}"
    campaign = f"{parent}/campaigns/spring"

    calls = [
        stranger.GetCampaignReport(pb.GetCampaignReportRequest(name=campaign)),
        stranger.QueryActivity(pb.QueryActivityRequest(parent=parent)),
        stranger.QueryFunnel(pb.QueryFunnelRequest(parent=parent, funnel=checkout("a"))),
        stranger.QueryFunnel(
            pb.QueryFunnelRequest(parent="applications/elsewhere", name=f"{parent}/funnels/f")
        ),
        stranger.GetCampaignReport(
            pb.GetCampaignReportRequest(
                name="applications/elsewhere/campaigns/c", run=f"{campaign}/runs/r"
            )
        ),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call
