"""Robots that answer answers get only so many."""

from datetime import timedelta

import pytest
from heliograph.twoway.v1 import (
    conversation_service_pb2,
    inbound_message_pb2,
    keyword_pb2,
    opt_out_service_pb2,
)
from heliograph.twoway.v1 import keyword_service_pb2 as pb
from sqlmodel import select
from twoway.inbound import texts
from twoway.inbound.loop_guard import OWED_REPLIES_MAX, REPLIES_MAX, WINDOW, LoopGuard
from twoway.inbound.texts import Text
from twoway.tables import ReplySetRow
from twoway_room import NOON, NUMBER, SHOP, Room, sms

ANN, BOB = "+12065550191", "+12065550192"
OTHER = "+12065550101"
Remark = inbound_message_pb2.InboundMessage.Remark


def text(at_seconds: float = 0, source: str = ANN, destination: str = NUMBER) -> Text:
    return texts.of(sms("HOURS", source, destination, at_seconds=at_seconds), NOON + 10 * WINDOW)


def test_a_sender_gets_so_many_answers_from_a_number_and_others_theirs() -> None:
    guard = LoopGuard("shop", replies_max=2)

    answered = [guard.allows(text(at)) for at in range(4)]

    assert answered == [True, True, False, False]
    assert guard.allows(text(source=BOB))
    assert guard.allows(text(destination=OTHER))


def test_what_everybody_is_owed_is_answered_for_longer_and_counts_with_the_rest() -> None:
    guard = LoopGuard("shop", replies_max=2, owed_replies_max=4)

    answered = [guard.allows(text(at), owed=at % 2 == 1) for at in range(8)]

    assert answered == [True, True, False, True, False, True, False, False]


@pytest.mark.parametrize(
    ("after", "answered"),
    [(WINDOW - timedelta(microseconds=1), False), (WINDOW, True), (-WINDOW, False)],
)
def test_the_window_begins_with_its_first_answer(after: timedelta, answered: bool) -> None:
    guard = LoopGuard("shop", replies_max=1)
    guard.allows(text())

    assert guard.allows(text(after.total_seconds())) == answered


async def test_two_robots_fall_silent_and_stop_and_help_are_answered_all_the_same(
    room: Room,
) -> None:
    await room.register()
    hours = keyword_pb2.Keyword(keyword="HOURS", reply_text="HOURS: 9 to 5")
    parent = f"{SHOP}/phoneNumbers/{NUMBER}"
    await room.keywords.CreateKeyword(pb.CreateKeywordRequest(parent=parent, keyword=hours))

    for begin in (0, REPLIES_MAX // 2 + 1):
        said = range(begin, begin + REPLIES_MAX // 2 + 1)
        await room.receive(*(sms("HOURS: 9 to 5", ANN, at_seconds=at) for at in said))
    await room.receive(sms("HELP", ANN, at_seconds=100), sms("STOP", ANN, at_seconds=101))

    said = await promised(room)
    assert said.count("TRANSACTIONAL") == REPLIES_MAX
    assert {"HELP_REPLY", "OPT_OUT_CONFIRMATION"} <= set(said)
    assert await withheld(room) == [inbound_message_pb2.KEYWORD_MATCH] * 2


async def test_robots_that_say_help_fall_silent_too_and_a_stop_counts_unconfirmed(
    room: Room,
) -> None:
    await room.register()
    begin = -int(WINDOW.total_seconds())
    helps = [sms("HELP", ANN, at_seconds=begin + at) for at in range(OWED_REPLIES_MAX + 1)]
    await room.receive(*helps[:20])
    await room.receive(*helps[20:], sms("STOP", ANN, at_seconds=begin + 100))

    assert await promised(room) == ["HELP_REPLY"] * OWED_REPLIES_MAX
    assert await withheld(room) == [inbound_message_pb2.OPT_OUT, inbound_message_pb2.HELP]
    consent = opt_out_service_pb2.CheckConsentRequest(
        parent=SHOP, origination_identity=NUMBER, destination_addresses=[ANN]
    )
    assert (await room.consent.CheckConsent(consent)).opted_out_addresses == [ANN]

    await room.receive(*(sms("STOP", ANN, at_seconds=at) for at in range(2)))

    assert (await promised(room)).count("OPT_OUT_CONFIRMATION") == 1


async def promised(room: Room) -> list[str]:
    """For what each answer was promised."""
    async with room.sessions() as session:
        rows = (await session.exec(select(ReplySetRow))).all()
    return [row.purpose for row in rows for _ in row.addresses]


async def withheld(room: Room) -> list[int]:
    """What those texts meant that got no answer, the newest first."""
    request = conversation_service_pb2.ListInboundMessagesRequest(parent=SHOP, page_size=100)
    listed = (await room.conversations.ListInboundMessages(request)).inbound_messages
    return [one.intent for one in listed if Remark.REPLY_WITHHELD in one.remarks]
