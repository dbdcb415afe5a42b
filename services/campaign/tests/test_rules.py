"""What limits a run: the campaign's own values and its application's settings as it began."""

import asyncio
from time import monotonic

import pytest
from campaign import pacing
from campaign_samples import WELCOME, begin, launch, state_of
from google.protobuf import text_format
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from heliograph.campaign.v1 import campaign_service_pb2 as pb
from heliograph.campaign.v1.campaign_pb2 import Campaign
from mesh.testkit.waiting import eventually

SETTINGS = """
    quiet_time { start: "22:00" end: "06:00" }
    missing_time_zone_policy: USE_DEFAULT
    default_time_zone: "Europe/Berlin"
    message_limits { daily_max: 3 total_max: 4 run_duration_max { seconds: 600 } }
"""

OTHER = """
    segment: "applications/demo/segments/all"
    treatments { treatment: "a" content { sms { body: "Hello" } } }
"""


def settings(text=SETTINGS):
    return text_format.Parse(text, ApplicationSettings())


async def sent_by_a_run(room, extra=""):
    await launch(room, extra)
    await begin(room)
    assert await room.fanout().step()
    return await room.sent()


async def test_every_batch_carries_what_the_application_says(room, applications):
    applications.settings = settings()

    batches = await sent_by_a_run(room)

    assert len(batches) == 3
    for batch in batches:
        quiet_time, caps = batch.quiet_time, batch.caps
        assert (quiet_time.start, quiet_time.end) == ("22:00", "06:00")
        assert quiet_time.missing_time_zone_policy == ApplicationSettings.USE_DEFAULT
        assert quiet_time.default_time_zone == "Europe/Berlin"
        assert (caps.daily_max, caps.total_max) == (3, 4)
        assert batch.expire_time.seconds - batch.source_time.seconds == 600


async def test_what_the_campaign_says_itself_wins(room, applications):
    applications.settings = settings()

    batch, *_ = await sent_by_a_run(
        room,
        """
        schedule { quiet_time { start: "20:00" end: "21:00" } }
        limits { maximum_duration { seconds: 60 } }
        """,
    )

    assert (batch.quiet_time.start, batch.quiet_time.end) == ("20:00", "21:00")
    assert batch.expire_time.seconds - batch.source_time.seconds == 60


async def test_every_batch_carries_the_campaigns_topic(room):
    topic = "news, offers " + "é" * 87

    batches = await sent_by_a_run(room, f'topic: "{topic}"')

    campaign = await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))
    assert campaign.topic == topic
    assert [batch.topic for batch in batches] == [topic] * 3


async def test_without_rules_a_batch_carries_none(room):
    batch, *_ = await sent_by_a_run(room)

    assert not any(batch.HasField(name) for name in ("quiet_time", "caps", "expire_time"))
    assert not batch.topic


async def test_a_run_keeps_the_rules_it_began_with(room, audience, applications):
    applications.settings = settings()
    await launch(room)
    await begin(room)
    audience.breaks_after_pages = 1
    await room.fanout().step()

    applications.settings = settings('quiet_time { start: "01:00" end: "02:00" }')
    room.clock.forward(seconds=5)
    assert await room.fanout().step()

    assert {batch.quiet_time.start for batch in await room.sent()} == {"22:00"}


async def test_a_run_of_an_application_that_is_gone_fails_and_says_so(room, applications):
    await launch(room)
    run = await begin(room)
    applications.is_gone = True

    await room.fanout().step()

    assert await state_of(room, run) == "FAILED"
    assert not (await room.js.stream_info("SENDS")).state.messages


async def test_a_paced_run_is_handed_over_in_its_time_and_by_its_own_workers(room, audience):
    del audience.members[60:]
    await launch(room, "limits { messages_per_second: 100 }")
    run = await begin(room)

    assert await room.fanout().step()
    assert await state_of(room, run) == "FANNING_OUT"
    assert not await room.fanout().step()
    sending = await room.fanout().take_paced()
    begun = monotonic()
    await sending()

    assert monotonic() - begun >= 0.5
    assert [len(batch.recipients) for batch in await room.sent()] == [25, 25, 10]
    assert await state_of(room, run) == "SENDING"


async def test_a_paced_run_that_is_paused_stops_at_its_next_part(room):
    await launch(room, "limits { messages_per_second: 40 }")
    await begin(room)
    await room.fanout().step()
    sending = asyncio.create_task((await room.fanout().take_paced())())

    async def begun():
        return (await room.js.stream_info("SENDS")).state.messages > 0

    await eventually(begun)

    await room.campaigns.PauseCampaign(pb.PauseCampaignRequest(name=WELCOME))
    before = len(await room.sent())
    await sending

    assert before <= len(await room.sent()) <= before + 1
    assert await room.fanout().take_paced() is None


async def test_several_paced_runs_are_sent_at_the_same_time_and_one_that_fails_hinders_none():
    at_once, most, waiting, gate = 0, 0, [*range(6)], asyncio.Event()

    async def run(number):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await gate.wait()
        at_once -= 1
        if number == 2:
            raise RuntimeError("this one fails")

    async def take():
        if not waiting:
            return None
        number = waiting.pop()
        return lambda: run(number)

    several = asyncio.create_task(pacing.several(take, 3, 0.01))
    await eventually(lambda: at_once == 3)
    assert len(waiting) == 3
    gate.set()
    await eventually(lambda: not waiting and not at_once)
    several.cancel()
    await asyncio.gather(several, return_exceptions=True)

    assert most == 3


async def test_a_campaign_with_a_daily_limit_makes_its_application_count(room):
    batch, *_ = await sent_by_a_run(room, "limits { total: 2 } schedule { frequency: HOURLY }")
    assert (batch.caps.total_max, batch.caps.daily_max) == (2, 0)
    assert batch.caps.total_key == f"welcome/{int(room.clock.time.timestamp()) * 10**6}"


@pytest.mark.parametrize(("daily", "counted"), [(0, False), (3, True)])
async def test_what_is_not_limited_is_counted_while_another_campaign_has_a_daily_limit(
    room, daily, counted
):
    other = text_format.Parse(OTHER, Campaign())
    request = pb.CreateCampaignRequest(
        parent="applications/demo", campaign_id="other", campaign=other
    )
    other.CopyFrom(await room.campaigns.CreateCampaign(request))
    other.limits.daily = daily
    await room.campaigns.UpdateCampaign(pb.UpdateCampaignRequest(campaign=other))

    batch, *_ = await sent_by_a_run(room)

    assert (batch.HasField("caps"), batch.caps.daily_max) == (counted, 0)
