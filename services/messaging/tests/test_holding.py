"""Who waits for the end of quiet time: none is lost, none gets it twice, none too soon."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import messaging_moments as moments
import pytest
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.errors import Unavailable
from mesh.testkit.waiting import eventually
from messaging.render import timestamp
from messaging_crashes import Doom
from messaging_samples import PARENT, RUN, batch, endpoint, number
from nats.errors import Error as NatsError

HERE, FAR = "UTC", "Etc/GMT-8"


def quiet(begins_in=-2, ends_in=2):
    """Quiet by the clocks of UTC; who falls into it waits. Hours from now."""
    now = datetime.now(UTC)
    start, end = (now + timedelta(hours=hours) for hours in (begins_in, ends_in))
    return SendBatch.QuietTime(start=f"{start:%H:%M}", end=f"{end:%H:%M}", hold=True)


def members(count, zone=HERE):
    return [endpoint(i, demographic={"timezone": zone}) for i in range(count)]


async def waiting(room):
    """The batches that wait, with the time each waits for."""
    records = await room.pool.fetch("SELECT release_time, payload FROM held_batches")
    return [(record["release_time"], SendBatch.FromString(record["payload"])) for record in records]


async def held(room, count):
    """Waits until so many recipients are put aside."""

    async def probe():
        assert sum(len(one.recipients) for _, one in await waiting(room)) == count
        return True

    await eventually(probe)


async def time_passes(room, quiet_time=None):
    """It is the time that batches wait for; where they were quiet, it is over."""
    for _, one in await waiting(room):
        one.quiet_time.CopyFrom(quiet_time or quiet(3, 4))
        await room.pool.execute(
            "UPDATE held_batches SET release_time = now(), payload = $2 WHERE batch_id = $1",
            one.batch_id,
            one.SerializeToString(),
        )


def know(room, *endpoints):
    """What audience will say of them."""
    room.endpoints.known.update({one.name: one for one in endpoints})


async def test_who_is_in_quiet_time_waits_for_its_end_and_then_gets_it(room):
    here, far = members(3), endpoint(3, demographic={"timezone": FAR})
    know(room, *here)

    await room.publish(batch([*here, far], quiet_time=quiet()))
    await held(room, 3)

    await eventually(lambda: is_delivered(room, "e3"))
    assert [(await room.states())[f"e{i}"] for i in range(3)] == ["ACCEPTED"] * 3
    ((release_time, one),) = await waiting(room)
    assert timedelta(hours=2) - timedelta(minutes=2) < release_time - datetime.now(UTC)
    assert release_time - datetime.now(UTC) <= timedelta(hours=2, minutes=1)
    assert one.was_held
    await time_passes(room)
    assert set((await room.settled(4)).values()) == {"DELIVERED"}
    assert Counter(entry["destination"] for entry in await room.arrived()) == {
        number(i): 1 for i in range(4)
    }
    assert await waiting(room) == []


async def is_delivered(room, endpoint_id):
    return (await room.states())[endpoint_id] == "DELIVERED"


async def test_what_changed_meanwhile_counts(room):
    there = members(5)
    there[2].address = number(77)
    there[3].opt_out = Endpoint.ALL
    room.opt_outs.numbers.add(number(4))
    await room.publish(batch(members(5), quiet_time=quiet()))
    await held(room, 5)

    know(room, there[0], *there[2:])
    await time_passes(room)

    assert await room.settled(5) == {
        "e0": "DELIVERED",
        "e1": "ENDPOINT_CHANGED",
        "e2": "ENDPOINT_CHANGED",
        "e3": "ENDPOINT_OPTED_OUT",
        "e4": "OPTED_OUT",
    }


async def test_a_batch_that_comes_again_holds_nobody_twice(room):
    know(room, *members(20))
    sent = batch(members(20), quiet_time=quiet())
    await room.publish(sent)
    await held(room, 20)

    for copy in range(3):
        await room.publish(sent, msg_id=f"copy-{copy}")
    await room.drained()

    await held(room, 20)
    await time_passes(room)
    await room.settled(20)
    await room.publish(sent, msg_id="late")
    await room.drained()
    assert set(Counter(entry["destination"] for entry in await room.arrived()).values()) == {1}


async def test_who_is_still_in_quiet_time_waits_again_and_who_is_not_does_not(room):
    mixed = [*members(2), *[endpoint(i, demographic={"timezone": FAR}) for i in (2, 3)]]
    know(room, *mixed)
    now = datetime.now(UTC)
    day = SendBatch.QuietTime(start=f"{now - timedelta(hours=1):%H:%M}", hold=True)
    day.end = f"{now + timedelta(hours=20):%H:%M}"
    await room.publish(batch(mixed, quiet_time=day))
    await held(room, 4)

    await time_passes(room, quiet())

    await held(room, 2)
    await eventually(lambda: is_delivered(room, "e2"))
    assert {key for key, state in (await room.states()).items() if state == "ACCEPTED"} == {
        "e0",
        "e1",
    }


async def test_who_would_wait_beyond_the_end_of_the_run_gets_nothing(room):
    soon = timestamp(datetime.now(UTC) + timedelta(hours=1))

    await room.publish(batch(members(1), quiet_time=quiet(), expire_time=soon))

    assert await room.settled(1) == {"e0": "EXPIRED"}
    assert await waiting(room) == []


async def test_an_address_waits_once_in_a_run(room):
    twice = members(2)
    twice[1].address = twice[0].address

    await room.publish(batch(twice, quiet_time=quiet()))
    await held(room, 1)

    assert sorted((await room.states()).values()) == ["ACCEPTED", "DUPLICATE_ADDRESS"]


async def test_of_a_run_that_is_cancelled_nobody_waits_any_longer(room):
    know(room, *members(3))
    await room.publish(batch(members(3), quiet_time=quiet()))
    await held(room, 3)

    answer = await room.messages.CancelMessages(rpc.CancelMessagesRequest(parent=PARENT, run=RUN))
    await time_passes(room)

    await room.drained()
    assert answer.cancelled_count == 3
    assert set((await room.settled(3)).values()) == {"CANCELLED"}
    assert await room.arrived() == []


async def test_while_audience_is_away_held_messages_wait_on(room):
    know(room, *members(2))
    await room.publish(batch(members(2), quiet_time=quiet()))
    await held(room, 2)
    room.endpoints.away = True
    await time_passes(room)
    await eventually(lambda: nobody_waits(room))
    assert set((await room.states()).values()) == {"ACCEPTED"}

    room.endpoints.away = False

    assert set((await room.settled(2)).values()) == {"DELIVERED"}


async def nobody_waits(room):
    return not await waiting(room)


async def test_what_the_bus_did_not_take_is_still_held(room, nats_stopped):
    know(room, *members(2))
    await room.publish(batch(members(2), quiet_time=quiet()))
    await held(room, 2)
    async with nats_stopped():
        await time_passes(room)
        with pytest.raises((NatsError, Unavailable, TimeoutError)):
            await room.assembly.holding.sweep(datetime.now(UTC))
        await held(room, 2)

    assert set((await room.settled(2)).values()) == {"DELIVERED"}


async def test_a_worker_that_dies_holds_everybody_once(make_room, tmp_path):
    room = await make_room(at_work=False, chunk_size_max=20)
    know(room, *members(60))
    async with Doom.of(room, tmp_path) as doom:
        await moments.claim_unheard(doom, batch(members(60), quiet_time=quiet()))

        async with room.another_process():
            await held(room, 60)
            await time_passes(room)
            states = await room.settled(60)

    assert set(states.values()) == {"DELIVERED"}
    assert set(Counter(entry["destination"] for entry in await room.arrived()).values()) == {1}
