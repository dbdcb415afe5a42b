"""Texts that answer messages: linked to the last one of the number, and announced once."""

from datetime import UTC, datetime, timedelta

import pytest
from heliograph.messaging.v1.events_pb2 import InboundSms, InboundSmsReceived, MessageEvent
from mesh.eventing import publisher
from mesh.testkit.waiting import eventually
from messaging.channels.inbound import InboundText
from messaging.render import timestamp
from messaging_samples import APPLICATION, PARENT, RUN, batch, endpoint, number, send_request

SENDER = "+12065550100"


def text(index, said="yes", at=None, to=SENDER):
    return InboundText(number(index), to, said, at or datetime.now(UTC), "")


async def answers(room, count):
    """The answers on the bus, once there are so many."""

    async def enough():
        found = [one for one in await room.events() if one.kind == MessageEvent.REPLIED]
        assert len(found) == count
        return found

    return await eventually(enough, 20)


async def write(room, *texts):
    await room.assembly.inbound.receive(APPLICATION, "c", list(texts))


async def test_an_answer_is_told_of_the_message_that_it_answers(room):
    await room.publish(batch([endpoint(index) for index in range(3)], said="Well?"))
    await room.settled(3)

    await write(room, text(1), text(9), text(2, to="+12065550199"))

    (answer,) = await answers(room, 1)
    (row,) = [row for row in await room.rows() if row.endpoint_id == "e1"]
    assert answer.message == f"{PARENT}/messages/{row.message_id}"
    assert (answer.endpoint, answer.user_id) == (f"{PARENT}/endpoints/e1", "u1")
    assert (answer.run, answer.treatment) == (RUN, "A")
    assert answer.detail.startswith(f"{PARENT}/inboundMessages/")


async def test_the_last_message_is_answered_and_each_text_is_an_answer(room):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)
    await write(room, text(1, "what?"))
    await answers(room, 1)
    await room.messages.SendMessages(send_request(number(1)))
    await room.settled(2)

    await write(room, text(1, "yes"), text(1, "really"))

    found = await answers(room, 3)
    assert sorted(one.run for one in found) == ["", "", RUN]
    assert len({one.detail for one in found}) == 3


async def test_what_is_heard_twice_is_one_answer(room):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)
    received = InboundSmsReceived(
        application=APPLICATION,
        messages=[
            InboundSms(
                inbound_id="i1",
                source_address=number(1),
                destination_address=SENDER,
                text="yes",
                receive_time=timestamp(datetime.now(UTC)),
            )
        ],
    )
    for repetition in ("first", "second"):
        await publisher.publish(room.js, received, APPLICATION, msg_id=repetition)
    await write(room, text(1, "the end"))

    assert {one.detail.rpartition("/")[2] == "i1" for one in await answers(room, 2)} == {
        True,
        False,
    }


@pytest.mark.parametrize("after", [timedelta(days=-1), timedelta(days=8)])
async def test_what_is_written_before_or_long_after_answers_nothing(room, after):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)

    await write(room, text(1, "other", datetime.now(UTC) + after), text(1, "yes"))

    assert len(await answers(room, 1)) == 1
