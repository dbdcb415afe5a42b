"""Answers by hand: sent once from the conversation's number, or refused in words that help."""

import pytest
from heliograph.messaging.v1 import content_pb2
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from heliograph.twoway.v1.conversation_pb2 import Conversation, ConversationMessage
from mesh.errors import DeadlineExceeded, FailedPrecondition, InvalidArgument, Unavailable
from mesh.rpc.retries import ATTEMPTS_MAX
from test_conversations import ANN, get, name, searched, sent
from twoway_room import NUMBER, SHOP, Room, sms


async def reply(
    room: Room, text: str = "On its way", request_id: str = "r1", person: str = ANN
) -> ConversationMessage.OutboundMessage:
    request = pb.ReplyToConversationRequest(name=name(person), text=text, request_id=request_id)
    answered: ConversationMessage = await room.conversations.ReplyToConversation(request)
    return answered.outbound_message


async def test_an_answer_leaves_once_from_the_number_and_becomes_part_of_the_conversation(
    room: Room,
) -> None:
    await room.receive(sms("Where is it?", ANN))
    await room.conversations.CloseConversation(pb.CloseConversationRequest(name=name()))

    first = await reply(room, "{{Sent}} today", "r1")
    again = await reply(room, "{{Sent}} today", "r1")

    assert again == first
    assert (first.text, first.state, first.author) == ("{{Sent}} today", "ACCEPTED", "tester")
    (request,) = room.messaging.requests.values()
    assert request.purpose == content_pb2.TRANSACTIONAL
    assert request.content.sms.origination_identity == NUMBER
    assert request.content.sms.body == "{{text}}", "what a person writes is no template"
    (recipient,) = request.recipients
    assert recipient.address.address == ANN
    assert dict(recipient.substitutions) == {"text": "{{Sent}} today"}
    found = await get(room)
    assert found.state == Conversation.OPEN
    assert found.last_message_time == first.send_time
    assert await searched(room, "sent today") == [ANN]


async def test_lines_say_who_answered_what_and_how_far_it_has_come(room: Room) -> None:
    await room.receive(sms("Where is it?", ANN))
    answered = await reply(room)
    (line,) = (sent(0, 5),)
    line.name, line.state = answered.message, Message.DELIVERED
    room.messaging.ledger = [line]

    page = await room.conversations.ListConversationMessages(
        pb.ListConversationMessagesRequest(name=name())
    )

    ours, theirs = page.messages
    assert theirs.inbound_message.text == "Where is it?"
    assert (ours.outbound_message.text, ours.outbound_message.author) == ("On its way", "tester")
    assert ours.outbound_message.state == "DELIVERED"


async def test_one_request_id_is_one_answer(room: Room) -> None:
    await room.receive(sms("Where is it?", ANN))
    await reply(room, "one", "r1")
    with pytest.raises(InvalidArgument) as refused:
        await reply(room, "another", "r1")
    assert refused.value.reason == "REQUEST_ID_REUSED"
    await reply(room, "another", "r2")
    await reply(room, "one", "")
    await reply(room, "one", "")
    assert len(room.messaging.requests) == 4


async def test_who_has_opted_out_is_not_answered(room: Room) -> None:
    await room.register()
    await room.receive(sms("STOP", ANN))

    with pytest.raises(FailedPrecondition) as refused:
        await reply(room)

    assert refused.value.reason == "DESTINATION_OPTED_OUT"
    assert refused.value.metadata["destination_address"] == ANN
    assert room.messaging.calls == 0
    await room.receive(sms("START", ANN, at_seconds=1))
    await reply(room)
    assert room.messaging.calls == 1


async def test_a_sender_id_takes_no_answers(room: Room) -> None:
    await room.receive(sms("hello", "ACME"))
    with pytest.raises(FailedPrecondition) as refused:
        await reply(room, person="acme")
    assert refused.value.reason == "DESTINATION_NOT_WRITABLE"


async def test_while_messaging_is_away_the_same_call_can_be_repeated(room: Room) -> None:
    await room.receive(sms("Where is it?", ANN))
    for failures in (room.messaging.failures, room.messaging.answer_lost):
        failures += [DeadlineExceeded("AWAY", "nobody answers")] * ATTEMPTS_MAX
        with pytest.raises(Unavailable) as refused:
            await reply(room)
        assert refused.value.reason == "MESSAGING_UNAVAILABLE"
    assert await searched(room, "way") == []

    await reply(room)

    assert len(room.messaging.requests) == 1
    assert await searched(room, "way") == [ANN]


async def test_what_messaging_refuses_is_told_and_may_be_said_otherwise(room: Room) -> None:
    await room.receive(sms("Where is it?", ANN))
    room.messaging.failures.append(InvalidArgument("CONTENT_INVALID", "that cannot be sent"))

    with pytest.raises(FailedPrecondition) as refused:
        await reply(room, "one", "r1")

    assert refused.value.reason == "REPLY_REFUSED"
    assert refused.value.metadata["cause"] == "CONTENT_INVALID"
    assert (await reply(room, "another", "r1")).message.startswith(f"{SHOP}/messages/")
