"""A worker that is killed between any two steps, and a process that is killed again and again."""

import random
import signal
from collections import Counter

import messaging_moments as moments
import pytest
from google.protobuf.duration_pb2 import Duration
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.testkit.waiting import eventually
from messaging_crashes import Doom, started
from messaging_samples import batch, endpoint, number

BEFORE_ANYTHING_LEFT = [
    moments.lists_unread,
    moments.claim_undone,
    moments.claim_unheard,
    moments.consent_unknown,
]
MOMENTS = [
    *BEFORE_ANYTHING_LEFT,
    moments.messages_unsent,
    moments.messages_unanswered,
    moments.record_undone,
    moments.record_unheard,
    moments.sent_unheard,
]


def name(moment):
    return moment.__name__


@pytest.fixture
async def room(make_room):
    """The service, with nothing at work in this process."""
    return await make_room(at_work=False, chunk_size_max=20)


@pytest.mark.parametrize("moment", MOMENTS, ids=name)
async def test_a_worker_that_dies_at_a_step_loses_and_doubles_nothing(room, tmp_path, moment):
    room.opt_outs.numbers.add(number(3))
    async with Doom.of(room, tmp_path) as doom:
        await moment(doom, batch([endpoint(i) for i in range(60)]))

        async with room.another_process():
            states = await room.settled(60)
            delivered = {key for key, state in states.items() if state == "DELIVERED"}
            told = await room.told(60 + len(delivered))

    arrived = Counter(entry["destination"] for entry in await room.arrived())
    assert max(arrived.values()) == 1
    reached = {f"e{i}" for i in range(60) if number(i) in arrived}
    assert delivered == reached
    assert states["e3"] in ("OPTED_OUT", "OUTCOME_UNKNOWN")
    given_up = {key for key, state in states.items() if state == "OUTCOME_UNKNOWN"}
    assert len(given_up) <= (0 if moment in BEFORE_ANYTHING_LEFT else 20)
    assert len(told) == 2 * len(reached) + (60 - len(reached))


async def test_a_dead_worker_leaves_in_doubt_what_fits_the_window_and_nothing_beyond(
    make_room, tmp_path
):
    room = await make_room(at_work=False, chunk_size_max=200)
    async with Doom.of(room, tmp_path) as doom:
        await moments.messages_unsent(doom, batch([endpoint(i) for i in range(200)]))

        async with room.another_process():
            ends = Counter((await room.settled(200)).values())

    assert 0 < ends["OUTCOME_UNKNOWN"] <= 64
    assert ends["DELIVERED"] == 200 - ends["OUTCOME_UNKNOWN"]


@pytest.mark.parametrize("moment", [moments.claim_unheard, moments.skips_unheard], ids=name)
async def test_a_worker_that_dies_tells_of_every_skip(room, tmp_path, moment):
    sent = batch([endpoint(i) for i in range(60)])
    for recipient in sent.recipients:
        recipient.skip_reason = Reason.HOLDOUT
    async with Doom.of(room, tmp_path) as doom:
        await moment(doom, sent)

        async with room.another_process():
            states = await room.settled(60)
            await eventually(lambda: all_told(room, 60))

    assert Counter(states.values()) == {"HOLDOUT": 60}
    assert await room.arrived() == []


async def all_told(room, count):
    return len(await room.events()) == count


@pytest.mark.parametrize(
    "moment",
    [moments.claim_unheard, moments.messages_unsent, moments.messages_unanswered],
    ids=name,
)
async def test_a_transactional_message_survives_a_dead_worker(room, tmp_path, moment):
    async with Doom.of(room, tmp_path) as doom:
        await moment(doom, batch([endpoint(i) for i in range(10)], purpose=Purpose.TRANSACTIONAL))

        async with room.another_process():
            states = await room.settled(10)

    assert Counter(states.values()) == {"DELIVERED": 10}


async def test_a_process_that_is_killed_again_and_again_loses_and_doubles_nothing(
    make_room, tmp_path
):
    room = await make_room(at_work=False)
    await room.open_channel(settle_window=Duration(seconds=3))
    await room.assembly.connections.close()
    await room.carrier.remote.behave(submits_per_second_max=800)
    for page in range(12):
        members = [endpoint(i) for i in range(page * 100, page * 100 + 100)]
        await room.publish(batch(members, f"page-{page}"))
    moments = random.Random(7)

    for start in range(3):
        process = await started(room, tmp_path / f"{start}.json")
        already = len(await room.arrived())
        enough = min(already + moments.randrange(50, 400), 1000)

        async def some_more(enough=enough):
            return len(await room.arrived()) >= enough

        await eventually(some_more)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    process = await started(room, tmp_path / "last.json")
    await room.settled(1200)
    arrived = Counter(entry["destination"] for entry in await room.arrived())

    async def all_are_known():
        """A receipt that comes after the time for it still counts."""
        states = await room.states()
        delivered = {key for key, state in states.items() if state == "DELIVERED"}
        assert delivered == {f"e{i}" for i in range(1200) if number(i) in arrived}
        return states

    states = await eventually(all_are_known)
    process.terminate()
    await process.wait()

    assert max(arrived.values()) == 1
    assert set(states.values()) <= {"DELIVERED", "OUTCOME_UNKNOWN"}
