"""Alarms on the rate of opt-outs: when they go off, whom they tell, what they pause."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest_asyncio
from heliograph.analytics.v1 import report_service_pb2_grpc
from heliograph.campaign.v1 import campaign_service_pb2_grpc
from heliograph.twoway.v1 import opt_out_alarm_service_pb2 as pb
from heliograph.twoway.v1 import opt_out_alarm_service_pb2_grpc
from heliograph.twoway.v1.events_pb2 import OptOutAlarmCleared
from mesh.errors import FailedPrecondition, Unavailable
from mesh.testkit.rpc import RpcClient
from twoway.alarms.pausing import AGAIN_SECONDS
from twoway.alarms.servicer import OptOutAlarmServicer
from twoway.alarms.watching import LOOK_SECONDS
from twoway_neighbours import CAMPAIGNS, REPORTS
from twoway_room import NOON, SHOP, Room, announced, sms
from twoway_watch import ALARM, State, Watch

SERVICE = pb.DESCRIPTOR.services_by_name["OptOutAlarmService"].full_name
SPRING, SALE = f"{SHOP}/campaigns/spring", f"{SHOP}/campaigns/sale"


@pytest_asyncio.fixture(loop_scope="session")
async def watch(room: Room, asking: Any, rpc_client: RpcClient) -> Watch:
    """A registered number, and alarms that are looked at by hand."""
    await room.register()
    watch = Watch(room, asking)
    neighbours = await rpc_client({REPORTS: watch.reports, CAMPAIGNS: watch.campaigns})
    watch.stubs = (
        report_service_pb2_grpc.ReportServiceStub(neighbours),
        campaign_service_pb2_grpc.CampaignServiceStub(neighbours),
    )
    front = await rpc_client({SERVICE: OptOutAlarmServicer(room.sessions, watch.now)})
    watch.alarms = opt_out_alarm_service_pb2_grpc.OptOutAlarmServiceStub(front)
    return watch


async def test_an_alarm_goes_off_once_pauses_and_is_quiet_again_after_its_window(
    watch: Watch,
) -> None:
    await watch.make(pause_campaign=True)
    watch.delivered(SPRING, 200)
    await watch.stop(SPRING, 1, 2, 3, 4)
    await watch.look()
    assert await watch.told() == []

    await watch.stop(SPRING, 5)
    await watch.look()
    await watch.look()

    assert await watch.told() == [(SPRING, 5, 200)]
    assert watch.campaigns.paused == [SPRING]
    alarm = await watch.read()
    (state,) = alarm.campaign_states
    assert (alarm.state, state.state, state.pause) == (State.ALARM, State.ALARM, state.DONE)
    assert alarm.trigger_time.ToDatetime() == (NOON + timedelta(minutes=2)).replace(tzinfo=None)

    await watch.look(minutes=61)
    (cleared,) = await announced(watch.room, OptOutAlarmCleared)
    assert cleared.campaign == SPRING
    assert (await watch.read()).state == State.OK


async def test_a_campaign_that_is_resumed_is_paused_for_what_comes_after_alone(
    watch: Watch,
) -> None:
    await watch.make(pause_campaign=True)
    watch.delivered(SPRING, 100)
    await watch.stop(SPRING, *range(10))
    await watch.look()
    watch.delivered(SPRING, 90)
    await watch.stop(SPRING, *range(10, 20))
    await watch.look()
    assert watch.campaigns.paused == [SPRING]

    watch.delivered(SPRING, 10)
    await watch.look()

    assert watch.campaigns.paused == [SPRING, SPRING]
    assert await watch.told() == [(SPRING, 10, 100), (SPRING, 10, 100)]


async def test_an_alarm_that_pauses_nothing_is_told_once_until_the_rate_falls(
    watch: Watch,
) -> None:
    await watch.make()
    for person in range(3):
        watch.delivered(SPRING, 100)
        await watch.stop(SPRING, *range(person * 10, person * 10 + 9))
        await watch.look()
    assert len(await watch.told()) == 1

    watch.delivered(SPRING, 1_000)
    await watch.look()

    assert (await watch.read()).state == State.OK
    assert watch.campaigns.paused == []


async def test_each_campaign_stands_by_itself_and_direct_messages_count_for_none(
    watch: Watch,
) -> None:
    await watch.make()
    await watch.make("spring-alone", campaign=SPRING, rate_max=0.5)
    watch.delivered(SPRING, 100)
    watch.delivered(SALE, 100)
    await watch.stop(SPRING, 1, 2)
    await watch.stop(SALE, 3, 4, 5)
    await watch.room.receive(sms("STOP", "+12065559999"))

    await watch.look()

    assert await watch.told() == [(SALE, 3, 100)]
    assert watch.reports.calls == 1
    by_campaign = {one.campaign: one.state for one in (await watch.read()).campaign_states}
    assert by_campaign == {SPRING: State.OK, SALE: State.ALARM}


async def test_messages_of_carriers_without_receipts_count_when_they_are_sent(
    watch: Watch,
) -> None:
    await watch.make(delivered_min=50)
    watch.reports.sent[SPRING] = [NOON.timestamp()] * 50
    await watch.stop(SPRING, 1, 2)

    await watch.look()

    assert await watch.told() == [(SPRING, 2, 50)]


async def test_what_is_older_than_the_window_and_too_few_messages_set_nothing_off(
    watch: Watch,
) -> None:
    await watch.make(window={"seconds": 600}, delivered_min=10)
    watch.delivered(SPRING, 9)
    await watch.stop(SPRING, *range(9))
    await watch.look()
    watch.delivered(SPRING, 100)

    await watch.look(minutes=10)

    assert await watch.told() == []


async def test_replicas_tell_and_pause_once(watch: Watch) -> None:
    await watch.make(pause_campaign=True)
    watch.delivered(SPRING, 100)
    await watch.stop(SPRING, 1, 2, 3)
    watch.time += timedelta(minutes=1)
    loops = [watch.loops() for _ in range(3)]

    await asyncio.gather(*(watching.step() for watching, _ in loops))
    await asyncio.gather(*(pausing.step() for _, pausing in loops))

    assert len(await watch.told()) == 1
    assert watch.campaigns.paused == [SPRING]


async def test_a_pause_is_asked_for_until_campaign_answers(watch: Watch) -> None:
    away = Unavailable("AWAY", "nobody answers")
    watch.campaigns.failures = [away] * 5  # the first question, and what the channel asks again
    await watch.make(pause_campaign=True)
    watch.delivered(SPRING, 100)
    await watch.stop(SPRING, 1, 2, 3)
    await watch.look()
    (state,) = (await watch.read()).campaign_states
    assert (state.pause, watch.campaigns.paused) == (state.PENDING, [])
    watch.campaigns.failures = [FailedPrecondition("CAMPAIGN_WRONG_STATE", "it is paused")]

    await watch.look(minutes=AGAIN_SECONDS / 60)
    await watch.look(minutes=AGAIN_SECONDS / 60)

    (state,) = (await watch.read()).campaign_states
    assert (state.pause, watch.campaigns.failures) == (state.DONE, [])


async def test_a_campaign_whose_pause_nobody_heard_of_is_not_paused_again_once_it_was_resumed(
    watch: Watch,
) -> None:
    await watch.make(pause_campaign=True)
    watch.delivered(SPRING, 100)
    await watch.stop(SPRING, 1, 2, 3)
    watch.campaigns.answers_lost = 1
    await watch.look()
    (state,) = (await watch.read()).campaign_states
    assert (state.pause, watch.campaigns.paused) == (state.PENDING, [SPRING])

    await watch.look(minutes=AGAIN_SECONDS / 60)

    (state,) = (await watch.read()).campaign_states
    assert (state.pause, watch.campaigns.paused) == (state.DONE, [SPRING])


async def test_what_a_replica_took_on_and_did_not_do_another_does(watch: Watch) -> None:
    await watch.make(pause_campaign=True)
    watch.delivered(SPRING, 100)
    await watch.stop(SPRING, 1, 2, 3)
    watch.time += timedelta(minutes=1)
    watching, pausing = watch.loops()
    await watching.step()
    watch.campaigns.asked = asyncio.Event()
    dying = asyncio.create_task(pausing.step())
    await watch.campaigns.asked.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    watch.campaigns.asked = None
    assert watch.campaigns.paused == []

    await watch.look(minutes=AGAIN_SECONDS / 60)

    assert watch.campaigns.paused == [SPRING]
    assert len(await watch.told()) == 1


async def test_while_analytics_is_away_nothing_is_decided(watch: Watch) -> None:
    await watch.make()
    watch.delivered(SPRING, 100)
    await watch.stop(SPRING, 1, 2, 3)
    watch.reports.failures = [Unavailable("AWAY", "nobody answers")] * 5
    await watch.look()
    assert await watch.told() == []
    watch.reports.failures = []

    await watch.look(minutes=LOOK_SECONDS / 60)

    assert await watch.told() == [(SPRING, 3, 100)]


async def test_an_alarm_that_is_deleted_pauses_nothing_any_more(watch: Watch) -> None:
    await watch.make(pause_campaign=True)
    watch.delivered(SPRING, 100)
    await watch.stop(SPRING, 1, 2, 3)
    watch.time += timedelta(minutes=1)
    watching, pausing = watch.loops()
    await watching.step()
    await watch.alarms.DeleteOptOutAlarm(pb.DeleteOptOutAlarmRequest(name=ALARM))

    assert await pausing.step() == 0
