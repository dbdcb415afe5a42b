"""Texts are linked to the messages that they answer, when they come or when messaging is back."""

from typing import Any

from heliograph.messaging.v1.message_service_pb2 import FindAnsweredMessagesResponse
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from heliograph.twoway.v1 import keyword_pb2, keyword_service_pb2
from heliograph.twoway.v1.events_pb2 import InboundMessageReceived, MessagesAnswered
from heliograph.twoway.v1.inbound_message_pb2 import CHATTER, KEYWORD_MATCH
from mesh.errors import NotFound
from twoway.linking.asking import Asking
from twoway.linking.late import Linker
from twoway_room import NUMBER, SHOP, Room, announced, sms

ANN, BEN = "+12065550199", "+12065550198"
OFFER = f"{SHOP}/campaigns/offer"
MESSAGE = f"{SHOP}/messages/01936000-0000-7000-8000-000000000001"
ANSWERED = FindAnsweredMessagesResponse.AnsweredMessage(
    message=MESSAGE, run=f"{OFFER}/runs/r1", endpoint=f"{SHOP}/endpoints/ann"
)


async def with_yes(room: Room) -> None:
    """A number with a keyword."""
    await room.register()
    await room.keywords.CreateKeyword(
        keyword_service_pb2.CreateKeywordRequest(
            parent=f"{SHOP}/phoneNumbers/{NUMBER}",
            keyword_id="yes",
            keyword=keyword_pb2.Keyword(
                keyword="YES", action=keyword_pb2.Keyword.AUTOMATIC_RESPONSE, reply_text="Great!"
            ),
        )
    )


async def told(room: Room) -> list[MessagesAnswered.Answer]:
    return [one for event in await announced(room, MessagesAnswered) for one in event.answers]


async def inbound(room: Room) -> Any:
    listed = await room.conversations.ListInboundMessages(
        pb.ListInboundMessagesRequest(parent=SHOP)
    )
    return listed.inbound_messages


async def test_an_answer_names_message_run_campaign_and_keyword_wherever_it_is_read(
    room: Room,
) -> None:
    await with_yes(room)
    room.messaging.answered[ANN] = ANSWERED

    await room.receive(sms("Yes!", ANN, inbound_id="i1"), sms("hello", BEN, inbound_id="i2"))

    (event,) = await announced(room, InboundMessageReceived)
    ann, ben = event.inbound_messages
    assert (ann.in_reply_to, ann.run, ann.campaign) == (MESSAGE, f"{OFFER}/runs/r1", OFFER)
    assert ann.endpoint == f"{SHOP}/endpoints/ann"
    assert ann.keyword.endswith("/keywords/yes")
    assert not ben.in_reply_to
    assert list(reversed(await inbound(room))) == [ann, ben]
    assert await room.conversations.GetInboundMessage(
        pb.GetInboundMessageRequest(name=ann.name)
    ) == (ann)
    (answer,) = await told(room)
    assert (answer.inbound_message, answer.message) == (ann.name, MESSAGE)
    assert (answer.intent, answer.keyword, answer.answer) == (KEYWORD_MATCH, "yes", "yes")


async def test_a_long_answer_is_an_answer_without_its_words(room: Room) -> None:
    room.messaging.answered[ANN] = ANSWERED

    await room.receive(sms("well, that depends on what it costs", ANN))

    (answer,) = await told(room)
    assert (answer.intent, answer.keyword, answer.answer) == (CHATTER, "", "")


async def test_a_text_that_comes_again_is_told_once(room: Room) -> None:
    room.messaging.answered[ANN] = ANSWERED

    for _ in range(2):
        await room.receive(sms("yes", ANN, inbound_id="i1"))

    assert len(await told(room)) == 1


async def test_texts_are_taken_in_while_messaging_is_away_and_linked_when_it_is_back(
    room: Room,
) -> None:
    await with_yes(room)
    room.messaging.answered[ANN] = ANSWERED
    linker = Linker(room.sessions, Asking(room.messaging_stub, rest_seconds=0))
    room.messaging.away = True

    await room.receive(sms("Yes", ANN, inbound_id="i1"), sms("hello", BEN, inbound_id="i2"))
    assert await linker.step() == 0
    assert [one.in_reply_to for one in await inbound(room)] == ["", ""]
    assert await told(room) == []

    room.messaging.away = False
    assert await linker.step() == 2
    assert await linker.step() == 0

    assert [one.in_reply_to for one in await inbound(room)] == ["", MESSAGE]
    (answer,) = await told(room)
    assert (answer.message, answer.keyword, answer.answer) == (MESSAGE, "yes", "yes")


async def test_a_text_that_overtakes_the_record_of_its_message_is_linked_when_that_is_there(
    room: Room,
) -> None:
    room.messaging.answered[ANN] = FindAnsweredMessagesResponse.AnsweredMessage(undecided=True)
    linker = Linker(room.sessions, Asking(room.messaging_stub))
    await room.receive(sms("Yes", ANN), sms("hello", BEN))
    assert await linker.step() == 0
    assert await told(room) == []

    room.messaging.answered[ANN] = ANSWERED
    assert await linker.step() == 1

    (answer,) = await told(room)
    assert answer.message == MESSAGE


async def test_nobody_waits_for_messaging_again_right_after_it_did_not_answer(room: Room) -> None:
    room.messaging.answered[ANN] = ANSWERED
    room.messaging.away = True
    await room.receive(sms("one", BEN))
    room.messaging.away = False

    await room.receive(sms("two", ANN))

    assert await told(room) == [], "not asked, and so to be linked later"
    assert await Linker(room.sessions, Asking(room.messaging_stub)).step() == 2
    assert len(await told(room)) == 1


async def test_what_messaging_refuses_for_good_is_not_asked_again(room: Room) -> None:
    room.messaging.answered[ANN] = ANSWERED
    room.messaging.refusal = NotFound("APPLICATION_DELETED", "the application is deleted")

    await room.receive(sms("one", BEN))
    assert await Linker(room.sessions, Asking(room.messaging_stub)).step() == 0
    room.messaging.refusal = None
    await room.receive(sms("two", ANN), sms("three", "+" + "1" * 5_000))

    assert len(await told(room)) == 1
