"""An application's settings decide who is spared: quiet time where people are, and caps."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from heliograph.audience.v1.application_service_pb2 import UpdateApplicationRequest
from heliograph.audience.v1.endpoint_service_pb2 import ExplainEligibilityRequest
from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import DAILY_CAP, QUIET_TIME
from mesh_shop import tally

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

PHONES, CAMPAIGNS, CAP = 60, 5, 2
THERE = ZoneInfo("America/New_York")
"""Where the shop's phones are, as their numbers tell."""


def hours(begins_in, ends_in):
    now = datetime.now(THERE)
    start, end = (now + timedelta(hours=hours) for hours in (begins_in, ends_in))
    return {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}


async def test_nobody_is_disturbed_at_night_or_more_often_than_agreed(shop, tmp_path):
    async def decide(**settings):
        application = {"name": shop.parent, "settings": settings}
        await shop.client.applications.UpdateApplication(
            UpdateApplicationRequest(application=application)
        )

    async def ended(campaign, **fields):
        return tally(await shop.finished(await shop.launch(campaign, "Hello", **fields)))

    await shop.import_phones(PHONES, tmp_path)
    await decide(quiet_time=hours(-2, 2), message_limits={"daily_max": CAP})

    assert await ended("night") == {(Message.SKIPPED, QUIET_TIME): PHONES}

    await decide(quiet_time=hours(6, 8), message_limits={"daily_max": CAP})
    runs = await asyncio.gather(*(ended(f"day{number}") for number in range(CAMPAIGNS)))
    total = sum(runs, Counter())

    assert total[Message.SKIPPED, DAILY_CAP] == (CAMPAIGNS - CAP) * PHONES
    assert sum(total.values()) == CAMPAIGNS * PHONES
    got = Counter(entry["destination"] for entry in await shop.texts())
    assert got == dict.fromkeys(shop.phones, CAP)
    told = await shop.client.endpoints.ExplainEligibility(
        ExplainEligibilityRequest(
            name=f"{shop.parent}/endpoints/e000000", campaign=f"{shop.parent}/campaigns/day0"
        )
    )
    assert [one.detail for one in told.obstacles] == [
        "it has had 2 of at most 2 messages of campaigns in 24 hours"
    ]

    code = await ended("code", purpose=TRANSACTIONAL)
    assert code[Message.SENT, 0] + code[Message.DELIVERED, 0] == PHONES
