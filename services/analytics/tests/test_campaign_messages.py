"""Messages of several campaigns, counted within intervals."""

from datetime import timedelta

import pytest
from analytics_samples import NOW, message_event, stamp
from analytics_store import store_messages
from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.messaging.v1.events_pb2 import MessageEvent
from mesh.errors import InvalidArgument

K = MessageEvent
HOUR = timedelta(hours=1)


async def counted(service, application: str, *questions: tuple[str, int, int]):
    """Questions are campaigns with hours before now."""
    request = pb.QueryCampaignMessagesRequest(parent=f"applications/{application}")
    for campaign, start, end in questions:
        request.questions.add(
            campaign=f"applications/{application}/campaigns/{campaign}",
            start_time=stamp(NOW - start * HOUR),
            end_time=stamp(NOW - end * HOUR),
        )
    response = await service.reports.QueryCampaignMessages(request)
    return [(answer.sent, answer.delivered) for answer in response.answers]


async def test_each_question_counts_what_happened_in_its_interval(
    service, event_store, application
) -> None:
    spring = f"applications/{application}/campaigns/spring/runs/r1"
    sale = f"applications/{application}/campaigns/sale/runs/r1"
    early, late = stamp(NOW - 2 * HOUR), stamp(NOW - HOUR / 2)
    await store_messages(
        event_store,
        application,
        *(message_event(n, K.SENT, spring, event_time=early) for n in range(5)),
        *(message_event(n, K.DELIVERED, spring, event_time=late) for n in range(4)),
        # Announced again, with another time.
        message_event(0, K.DELIVERED, spring, event_time=stamp(NOW - HOUR / 3)),
        *(message_event(n, K.SENT, sale, event_time=late) for n in range(10, 13)),
        message_event(13, K.FAILED, sale, event_time=late),
    )

    found = await counted(
        service,
        application,
        *(("spring", 3, 0), ("sale", 1, 0), ("spring", 1, 0), ("spring", 3, 1), ("none", 9, 0)),
    )

    assert found == [(5, 4), (3, 0), (0, 4), (5, 0), (0, 0)]


async def test_campaigns_of_another_application_are_not_counted(service, application) -> None:
    request = pb.QueryCampaignMessagesRequest(parent=f"applications/{application}")
    request.questions.add(
        campaign="applications/other/campaigns/spring", start_time=stamp(NOW), end_time=stamp(NOW)
    )
    with pytest.raises(InvalidArgument):
        await service.reports.QueryCampaignMessages(request)
