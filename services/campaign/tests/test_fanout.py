import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from campaign import store, ticker
from campaign_samples import WELCOME, begin, launch, state_of
from heliograph.audience.v1 import endpoint_pb2
from heliograph.campaign.v1 import campaign_service_pb2 as pb
from heliograph.campaign.v1 import run_service_pb2
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.message_service_pb2 import CountMessagesResponse
from heliograph.messaging.v1.reason_pb2 import HOLDOUT, OPTED_OUT


async def test_every_member_is_handed_over_once(room, audience):
    await launch(room)
    await begin(room)

    assert await room.fanout().step()

    batches = await room.sent()
    recipients = [recipient for batch in batches for recipient in batch.recipients]
    assert [recipient.endpoint for recipient in recipients] == audience.members
    assert [len(batch.recipients) for batch in batches] == [1000, 1000, 500]
    held_out = sum(recipient.skip_reason == HOLDOUT for recipient in recipients)
    assert held_out == pytest.approx(250, abs=60)
    shares = Counter(r.treatment_index for r in recipients if not r.skip_reason)
    assert shares[0] == pytest.approx(shares[1], rel=0.15)


async def test_a_run_goes_on_from_its_cursor_when_audience_was_away(room, audience):
    await launch(room)
    run = await begin(room)
    audience.breaks_after_pages = 1

    await room.fanout("w1").step()
    assert await state_of(room, run) == "FANNING_OUT"
    assert not await room.fanout("w2").step()
    room.clock.forward(seconds=5)
    await room.fanout("w2").step()

    keys = [r.key for batch in await room.sent() for r in batch.recipients]
    assert keys == [member.name.rpartition("/")[2] for member in audience.members]
    assert await state_of(room, run) == "SENDING"


async def test_a_page_read_again_after_a_crash_is_the_same_message_on_the_bus(room):
    await launch(room)
    await begin(room)
    fanout = room.fanout()
    advance, lost = type(fanout)._advance, []

    async def crash(self, run, last, count):
        lost.append(last)
        raise OSError("the process is gone before the cursor moved")

    type(fanout)._advance = crash
    try:
        await fanout.step()
    finally:
        type(fanout)._advance = advance
    room.clock.forward(seconds=60)
    await room.fanout("w2").step()

    assert len(lost) == 1
    assert [len(batch.recipients) for batch in await room.sent()] == [1000, 1000, 500]


async def test_a_page_that_has_changed_is_never_taken_for_the_old_one(room, audience):
    await launch(room)
    await begin(room)
    audience.breaks_after_pages = 1
    await room.fanout().step()
    before = await room.sent()
    audience.members[1_500].address = "+15005550006"
    room.clock.forward(seconds=5)

    await room.fanout().step()

    ids = [batch.batch_id for batch in await room.sent()]
    assert len(set(ids)) == len(ids) == 3
    assert ids[0] == before[0].batch_id


async def test_a_worker_whose_lease_has_run_out_moves_no_cursor(room):
    await launch(room)
    run = await begin(room)
    async with room.sessions.begin() as session:
        slow = await store.take_run(session, "FANNING_OUT", "slow", room.clock.now(), timedelta())
    room.clock.forward(seconds=60)
    await room.fanout("fast").step()

    async with room.sessions.begin() as session:
        assert not await store.advance(session, slow, "zzz", 1, room.clock.now())
    answer = await room.runs.GetRun(run_service_pb2.GetRunRequest(name=run))
    assert answer.members == 2_500


async def test_a_paused_run_waits_and_goes_on_where_it_was(room):
    await launch(room)
    run = await begin(room)

    paused = await room.campaigns.PauseCampaign(pb.PauseCampaignRequest(name=WELCOME))
    assert not await room.fanout().step()
    resumed = await room.campaigns.ResumeCampaign(pb.ResumeCampaignRequest(name=WELCOME))
    assert await room.fanout().step()

    assert (paused.state, resumed.state) == (Campaign.PAUSED, Campaign.RUNNING)
    assert await state_of(room, run) == "SENDING"


async def test_a_pause_that_is_asked_for_again_does_not_hold_what_was_resumed_meanwhile(room):
    await launch(room)
    await begin(room)
    request = pb.PauseCampaignRequest(name=WELCOME, request_id="the-alarm-of-noon")

    first = await room.campaigns.PauseCampaign(request)
    await room.campaigns.ResumeCampaign(pb.ResumeCampaignRequest(name=WELCOME))
    again = await room.campaigns.PauseCampaign(request)

    assert again == first
    now = await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))
    assert now.state == Campaign.RUNNING


async def test_a_cancelled_campaign_sends_nothing_more(room):
    await launch(room)
    run = await begin(room)

    await room.campaigns.CancelCampaign(pb.CancelCampaignRequest(name=WELCOME))

    assert not await room.fanout().step()
    assert await state_of(room, run) == "CANCELLED"


async def test_a_run_whose_segment_is_gone_fails_and_says_so(room, audience):
    await launch(room)
    run = await begin(room)
    audience.missing = True

    await room.fanout().step()

    answer = await room.runs.GetRun(run_service_pb2.GetRunRequest(name=run))
    assert answer.state == Run.FAILED
    assert answer.failure == "applications/demo/segments/all does not exist"
    campaign = await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))
    assert campaign.state == Campaign.COMPLETED


async def test_a_page_too_large_for_the_bus_goes_as_several_batches(room, audience):
    audience.members = [
        endpoint_pb2.Endpoint(
            name=f"applications/demo/endpoints/e{number:06}",
            attributes={"notes": endpoint_pb2.Values(values=["x" * 100] * 50)},
        )
        for number in range(1_000)
    ]
    await launch(room)
    await begin(room)

    await room.fanout().step()

    batches = await room.sent()
    assert len(batches) == 2
    assert sum(len(batch.recipients) for batch in batches) == 1_000


async def test_a_run_is_complete_when_the_ledger_says_so(room, ledger):
    await launch(room)
    run = await begin(room)
    await room.fanout().step()
    count = CountMessagesResponse.Count

    ledger.counts = [count(treatment="a", state=Message.SENT, count=2_000)]
    await room.closing.step()
    assert await state_of(room, run) == "SENDING"

    room.clock.forward(seconds=2)
    ledger.counts.append(count(treatment="b", state=Message.HANDING, count=500))
    await room.closing.step()
    assert await state_of(room, run) == "SENDING"

    room.clock.forward(seconds=2)
    ledger.counts[1] = count(state=Message.SKIPPED, reason=OPTED_OUT, count=500)
    await room.closing.step()
    answer = await room.runs.GetRun(run_service_pb2.GetRunRequest(name=run))
    assert answer.state == Run.COMPLETED
    assert sum(row.count for row in answer.counts) == answer.members == 2_500
    campaign = await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))
    assert campaign.state == Campaign.COMPLETED


async def test_watching_ends_with_the_run(room, ledger):
    await launch(room)
    run = await begin(room)
    watch = room.runs.WatchRun(run_service_pb2.WatchRunRequest(name=run))

    updates = aiter(watch)
    first = await anext(updates)
    await room.campaigns.CancelCampaign(pb.CancelCampaignRequest(name=WELCOME))
    rest = [update async for update in updates]

    assert first.state == Run.FANNING_OUT
    assert rest[-1].state == Run.CANCELLED


async def test_a_daily_campaign_is_scheduled_again_after_its_run(room, ledger):
    await launch(room, 'schedule { frequency: DAILY timezone: "Europe/Berlin" }')
    await begin(room)
    await room.fanout().step()
    ledger.counts = [CountMessagesResponse.Count(state=Message.SENT, count=2_500)]

    await room.closing.step()

    campaign = await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))
    assert campaign.state == Campaign.SCHEDULED
    assert campaign.next_run_time.ToDatetime() == room.clock.now().replace(tzinfo=None).replace(
        day=22
    )


async def test_a_run_that_is_too_late_is_left_out(room):
    await launch(room, "schedule { start_time { seconds: 1795262400 } frequency: DAILY }")
    room.clock.forward(hours=30)

    await ticker.tick(room.sessions, room.clock.now)

    campaign = await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))
    assert campaign.latest_run == ""
    assert campaign.next_run_time.seconds > room.clock.now().timestamp()


async def test_two_replicas_begin_a_run_once(room):
    await launch(room)

    ticks = await asyncio.gather(*(ticker.tick(room.sessions, room.clock.now) for _ in range(4)))

    assert sum(ticks) == 1
