"""Texts that answer messages: found for whoever asks, and announced once when they are told."""

from datetime import UTC, datetime, timedelta

import pytest
from heliograph.messaging.v1 import message_service_pb2 as pb
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.twoway.v1.events_pb2 import MessagesAnswered
from heliograph.twoway.v1.inbound_message_pb2 import KEYWORD_MATCH
from mesh.eventing import publisher
from mesh.testkit.waiting import eventually
from messaging.render import timestamp
from messaging_samples import APPLICATION, PARENT, RUN, batch, endpoint, number, send_request

SENDER = "+12065550100"


def text(index, at=None, to=SENDER):
    return pb.FindAnsweredMessagesRequest.Text(
        source_address=number(index),
        destination_address=to,
        receive_time=timestamp(at or datetime.now(UTC)),
    )


async def found(room, *texts):
    request = pb.FindAnsweredMessagesRequest(parent=PARENT, texts=texts)
    return list((await room.messages.FindAnsweredMessages(request)).answered_messages)


async def replied(room, count):
    """The answers on the bus, once there are so many."""

    async def enough():
        told = [one for one in await room.events() if one.kind == MessageEvent.REPLIED]
        assert len(told) == count
        return told

    return await eventually(enough)


async def tell(room, message, inbound_id, repetition=""):
    """As twoway tells of an answer."""
    answer = MessagesAnswered.Answer(
        inbound_message=f"{PARENT}/inboundMessages/{inbound_id}",
        message=message,
        receive_time=timestamp(datetime.now(UTC)),
        intent=KEYWORD_MATCH,
        keyword="yes",
        answer="yes",
    )
    event = MessagesAnswered(application=APPLICATION, answers=[answer])
    await publisher.publish(room.js, event, APPLICATION, msg_id=f"{inbound_id}{repetition}")


async def test_a_text_is_linked_to_the_message_of_its_number_that_it_answers(room):
    await room.publish(batch([endpoint(index) for index in range(3)], said="Well?"))
    await room.settled(3)

    answered, unknown, elsewhere = await found(room, text(1), text(9), text(2, to="+12065550199"))

    (row,) = [row for row in await room.rows() if row.endpoint_id == "e1"]
    assert answered.message == f"{PARENT}/messages/{row.message_id}"
    assert (answered.endpoint, answered.run) == (f"{PARENT}/endpoints/e1", RUN)
    assert unknown == elsewhere == pb.FindAnsweredMessagesResponse.AnsweredMessage()


async def test_the_last_message_is_the_one_that_is_answered(room):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)
    between = datetime.now(UTC)
    await room.messages.SendMessages(send_request(number(1)))
    await room.settled(2)

    first, last = await found(room, text(1, between), text(1))

    assert (first.run, last.run) == (RUN, "")
    assert first.message != last.message


async def test_a_text_that_is_faster_than_the_carriers_answer_is_linked_once_that_is_there(room):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)
    carrier = room.carrier.remote
    await carrier.behave(answer_delay_seconds=60, receipts={"share": 0})
    await room.messages.SendMessages(send_request(number(1)))

    async def has_it():
        return len(await room.arrived()) == 2

    await eventually(has_it)
    written = text(1)
    (before,) = await found(room, written)
    await carrier.behave(answer_delay_seconds=0)

    async def is_decided():
        (answered,) = await found(room, written)
        return None if answered.undecided else answered

    answered = await eventually(is_decided)
    sent = await room.messages.GetMessage(pb.GetMessageRequest(name=answered.message))
    assert before == pb.FindAnsweredMessagesResponse.AnsweredMessage(undecided=True)
    assert (answered.run, sent.run) == ("", "")
    assert sent.send_time.ToNanoseconds() <= written.receive_time.ToNanoseconds()


async def test_what_may_have_been_sent_is_answered(room):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)
    await room.drained()
    await room.pool.execute(
        "UPDATE messages SET state = $1, sent_time = NULL, update_time = create_time",
        Message.UNKNOWN,
    )

    (answered,) = await found(room, text(1))

    assert answered.run == RUN


@pytest.mark.parametrize("after", [timedelta(days=-1), timedelta(days=8)])
async def test_what_is_written_before_or_long_after_answers_nothing(room, after):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)

    other, answer = await found(room, text(1, datetime.now(UTC) + after), text(1))

    assert not other.message
    assert answer.message


async def test_an_answer_is_told_of_its_message_with_what_it_says_and_once(room):
    await room.publish(batch([endpoint(1)], said="Well?"))
    await room.settled(1)
    (answered,) = await found(room, text(1))

    await tell(room, answered.message, "i1", "first")
    await tell(room, answered.message, "i1", "second")
    await tell(room, f"{PARENT}/messages/01936000-0000-7000-8000-000000000000", "i2")
    await tell(room, answered.message, "i3")

    one, other = await replied(room, 2)
    assert {one.detail, other.detail} == {f"{PARENT}/inboundMessages/{key}" for key in ("i1", "i3")}
    assert (one.message, one.endpoint, one.user_id) == (
        answered.message,
        f"{PARENT}/endpoints/e1",
        "u1",
    )
    assert (one.run, one.treatment) == (RUN, "A")
    assert dict(one.context) == {"intent": "KEYWORD_MATCH", "keyword": "yes", "answer": "yes"}
