"""Campaign reports, asked through the front door of what was stored."""

from datetime import timedelta

import pytest
from analytics_samples import NOW, changed, event, message_event, stamp
from analytics_store import store_events, store_messages
from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import ListEventsRequest
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.errors import InvalidArgument
from mesh.eventing import publisher
from mesh.testkit import eventually

K = MessageEvent


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
        message_event(0, K.REPLIED, run, event_id="yes"),
        message_event(0, K.REPLIED, run, event_id="really"),
        message_event(1, K.REPLIED, run),
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
    assert (total.replied, total.replies, total.reply_rate) == (2, 3, 2 / 4)
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
    assert report.latest_event_time == stamp(NOW + timedelta(seconds=K.REPLIED))


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
