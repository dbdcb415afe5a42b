"""Sets that are handed over at the same time share the places at their carrier, an SMPP peer."""

import asyncio
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.channel_pb2 import Channel
from heliograph.messaging.v1.channel_service_pb2 import CreateChannelRequest
from mesh.testkit.waiting import eventually
from messaging.channels.outcomes import Sent
from messaging.ledger import frontiers
from messaging.pipeline import works
from messaging.pipeline.driving import GONE, NO_PLACE, Driving
from messaging.rendering.contents import compile_content
from messaging_carrier import Carrier
from messaging_samples import APPLICATION, PARENT, batch, content, endpoint, number

WINDOW = 64


@pytest_asyncio.fixture(loop_scope="session")
async def peer():
    """A carrier that answers as the test says."""
    peer = Carrier()
    async with peer.smsc:
        peer.port = await peer.smsc.start()
        yield peer


@pytest_asyncio.fixture(loop_scope="session")
async def room(make_room, peer):
    """The service, with a channel to that carrier and nothing else at work."""
    room = await make_room(at_work=False)
    channel = peer.channel()
    channel.MergeFrom(Channel(channel_type=ChannelType.SMS, enabled=True))
    channel.default_origination_identity = "+12065550100"
    await room.channels.CreateChannel(
        CreateChannelRequest(parent=PARENT, channel_id="sms", channel=channel)
    )
    await room.bound()
    yield room
    await room.assembly.connections.close()


@pytest.fixture
def driving(room):
    """What hands over, as the service has it."""
    return Driving(room.pool, room.assembly.connections)


def made(numbers, batch_id):
    """The works of a batch to these numbers, ready to leave."""
    sent = batch([endpoint(one) for one in numbers], batch_id)
    originations = {ChannelType.SMS: "+12065550100"}
    frame = works.Frame(sent, [compile_content(content())], originations, datetime.now(UTC))
    return works.make(frame, sent.recipients)


def places(room):
    """The places at the carrier."""
    return room.assembly.connections.get(APPLICATION, ChannelType.SMS).places


async def all_free(room):
    """Whether no place is taken and nobody waits for one."""
    with places(room).wanted(WINDOW) as party:
        taken = await party.take()
    taken.give_rest()
    return taken.count == WINDOW


async def test_a_message_that_nobody_answers_holds_up_nobody_elses(room, driving, peer):
    peer.statuses = [None]
    unlucky = asyncio.create_task(driving.drive(made(range(200), "b1")))
    others = [
        asyncio.create_task(driving.drive(made(range(start, start + 200), f"b{start}")))
        for start in (200, 400)
    ]

    done = await asyncio.gather(*others)
    await eventually(lambda: len(peer.submitted) == 600)

    assert not unlucky.done(), "its answer never came, and it has not been given up yet"
    assert all(isinstance(answer, Sent) for answers in done for answer in answers)
    peer.smsc.sessions[0].drop("the silence is over")
    silent, *answered = await unlucky
    assert not isinstance(silent, Sent)
    assert all(isinstance(answer, Sent) for answer in answered)
    assert await all_free(room)


async def test_nearly_a_whole_window_of_silence_leaves_the_others_one_place(room, driving, peer):
    peer.statuses = [None] * (WINDOW - 1)
    unlucky = asyncio.create_task(driving.drive(made(range(WINDOW), "b1")))
    await eventually(lambda: len(peer.submitted) == WINDOW)

    answers = await driving.drive(made(range(WINDOW, WINDOW + 10), "b2"))

    assert not unlucky.done()
    assert all(isinstance(answer, Sent) for answer in answers)
    peer.smsc.sessions[0].drop("the silence is over")
    await unlucky


async def test_what_has_no_place_lies_beyond_the_frontier(room, driving, peer):
    peer.answering.clear()
    first = asyncio.create_task(driving.drive(made(range(200), "b1")))
    second = asyncio.create_task(driving.drive(made(range(200, 400), "b2")))
    await eventually(lambda: len(peer.submitted) == WINDOW)

    assert await frontiers.read(room.pool, APPLICATION, "b1") == WINDOW
    assert await frontiers.read(room.pool, APPLICATION, "b2") == 0

    peer.answering.set()
    await asyncio.gather(first, second)
    assert await frontiers.read(room.pool, APPLICATION, "b2") == 200
    arrived = [pdu.destination_addr for pdu in peer.submitted]
    for numbers in (range(200), range(200, 400)):
        expected = [number(one).lstrip("+") for one in numbers]
        assert [one for one in arrived if one in expected] == expected


async def test_who_is_cancelled_leaves_all_places_and_sends_no_more(room, driving, peer):
    peer.answering.clear()
    sets = [
        asyncio.create_task(driving.drive(made(range(start, start + 200), f"b{start}")))
        for start in (0, 200)
    ]
    await eventually(lambda: len(peer.submitted) == WINDOW)

    for one in sets:
        one.cancel()
    await asyncio.wait(sets)

    assert await all_free(room)
    peer.answering.set()
    await driving.drive(made(range(400, 410), "b400"))
    assert len(peer.submitted) == WINDOW + 10


async def test_what_finds_no_place_in_time_is_for_later(room, peer):
    impatient = Driving(room.pool, room.assembly.connections, places_seconds_max=0.0)
    with places(room).wanted(WINDOW) as party:
        taken = await party.take()
        assert await impatient.drive(made(range(30), "b1")) == [NO_PLACE] * 30

    taken.give_rest()
    assert await all_free(room)
    assert peer.submitted == []


async def test_what_may_not_leave_gives_its_places_to_others(room, driving, peer):
    await room.pool.execute(
        "INSERT INTO tombstones (application, operation, delete_time, hear_time, erased_rows)"
        " VALUES ($1, 'o', now(), now(), '{}')",
        APPLICATION,
    )

    assert await driving.drive(made(range(200), "b1")) == [GONE] * 200
    assert await all_free(room)
    assert peer.submitted == []


async def test_what_cannot_be_written_down_does_not_leave(room, driving, peer):
    await room.pool.execute("ALTER TABLE batch_frontiers RENAME TO gone")

    with pytest.raises(Exception, match="batch_frontiers") as failed:
        await driving.drive(made(range(200), "b1"))

    assert not isinstance(failed.value, BaseExceptionGroup)
    assert await all_free(room)
    assert peer.submitted == []
