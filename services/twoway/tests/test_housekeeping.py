"""What is old goes, in batches; what is about consent stays for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from heliograph.twoway.v1 import (
    conversation_service_pb2,
    opt_out_service_pb2,
    phone_number_pb2,
    phone_number_service_pb2,
)
from mesh.errors import AlreadyExists
from mesh.store import purging
from pydantic import ValidationError
from sqlmodel import select
from twoway import housekeeping
from twoway.settings import Settings
from twoway.tables import ReplySetRow
from twoway_room import NOON, NUMBER, SHOP, Room, sms

ANN, BOB, EVE = "+12065550191", "+12065550192", "+12065550193"
PURGES = housekeeping.purges(Settings(inbound_retention_days=365, request_id_retention_days=30))


async def purge(room: Room, now: datetime) -> int:
    """Purge until nothing is left to do; the rows deleted."""
    total = 0
    while deleted := await purging.step(room.sessions, PURGES, now):
        total += deleted
    return total


async def texts(room: Room) -> list[str]:
    """What people wrote, the oldest first."""
    listed = await room.conversations.ListInboundMessages(
        conversation_service_pb2.ListInboundMessagesRequest(parent=SHOP, page_size=1000)
    )
    return [message.text for message in reversed(listed.inbound_messages)]


async def opted_out(room: Room) -> list[str]:
    """Whom nothing may be sent to."""
    asked = opt_out_service_pb2.CheckConsentRequest(
        parent=SHOP, origination_identity=NUMBER, destination_addresses=[ANN, BOB, EVE]
    )
    return sorted((await room.consent.CheckConsent(asked)).opted_out_addresses)


async def test_old_texts_go_and_young_ones_stay(room: Room) -> None:
    week = 7 * 24 * 3600.0
    await room.receive(sms("hello", ANN, at_seconds=-week), sms("hi", BOB, at_seconds=-week))
    await room.receive(sms("good morning", ANN))

    assert await purge(room, NOON + timedelta(days=357)) == 0
    assert await purge(room, NOON + timedelta(days=359)) == 3, "two texts, and a conversation"

    assert await texts(room) == ["good morning"]


async def test_what_is_about_consent_stays_for_ever(room: Room) -> None:
    await room.receive(
        sms("STOP", ANN),
        sms("stop", ANN, at_seconds=1),
        sms("STOP", BOB, at_seconds=2),
        sms("START", BOB, at_seconds=3),
        sms("please don't stop", EVE, at_seconds=4),
        sms("thanks", BOB, at_seconds=5),
    )
    before = await texts(room)

    await purge(room, NOON + timedelta(days=36_500))

    assert await texts(room) == [text for text in before if text != "thanks"]
    assert await opted_out(room) == [ANN]
    changes = await room.consent.ListConsentChanges(
        opt_out_service_pb2.ListConsentChangesRequest(parent=SHOP)
    )
    assert len(changes.consent_changes) == 3
    # An opt-in that was on its way for all that time undoes nothing.
    await room.receive(sms("START", ANN, at_seconds=0.5))
    assert await opted_out(room) == [ANN]


async def test_a_text_that_comes_again_after_years_of_purging_others_is_known(room: Room) -> None:
    await room.receive(sms("STOP", ANN, inbound_id="in-1"))
    await purge(room, NOON + timedelta(days=36_500))

    await room.receive(sms("STOP", ANN, inbound_id="in-1"))

    assert await texts(room) == ["STOP"]


async def test_answers_refused_for_good_go_and_those_on_their_way_stay(room: Room) -> None:
    async with room.sessions.begin() as session:
        for number, state in enumerate(["PENDING", "REFUSED", "REFUSED"]):
            made = NOON + timedelta(days=2 * number)
            session.add(
                ReplySetRow(
                    application="shop",
                    request_id=f"r{number}",
                    purpose="HELP_REPLY",
                    reply_text="hello",
                    origination_identity=NUMBER,
                    addresses=[ANN],
                    state=state,
                    attempt_time=made,
                    create_time=made,
                )
            )

    assert await purge(room, NOON + timedelta(days=368)) == 1

    assert await states(room) == ["PENDING", "REFUSED"]


async def states(room: Room) -> list[str]:
    """What stands of the answers there are."""
    async with room.sessions() as session:
        rows = (await session.exec(select(ReplySetRow))).all()
    return sorted(row.state for row in rows)


async def test_a_request_id_is_known_for_its_days_and_not_longer(room: Room) -> None:
    request = phone_number_service_pb2.CreatePhoneNumberRequest(
        parent=SHOP,
        phone_number_id=NUMBER,
        phone_number=phone_number_pb2.PhoneNumber(),
        request_id="r1",
    )
    now = datetime.now(UTC)
    first = await room.numbers.CreatePhoneNumber(request)

    await purge(room, now + timedelta(days=29))
    assert await room.numbers.CreatePhoneNumber(request) == first
    await purge(room, now + timedelta(days=31))

    with pytest.raises(AlreadyExists):
        await room.numbers.CreatePhoneNumber(request)


def test_texts_are_kept_for_longer_than_the_bus_may_deliver_them_again() -> None:
    with pytest.raises(ValidationError):
        Settings(inbound_retention_days=7)
