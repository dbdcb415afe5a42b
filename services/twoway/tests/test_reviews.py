"""Flagged texts, settled by a person."""

import pytest
from google.protobuf import field_mask_pb2
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from heliograph.twoway.v1 import (
    inbound_message_pb2,
    opt_out_list_pb2,
    opt_out_service_pb2,
    origination_pb2,
)
from heliograph.twoway.v1.keyword_pb2 import Keyword
from heliograph.twoway.v1.keyword_service_pb2 import UpdateKeywordRequest
from mesh.errors import FailedPrecondition, NotFound
from sqlmodel import select
from twoway.keywords.defaults import DEFAULTS
from twoway.tables import ReplySetRow
from twoway_room import NUMBER, SHOP, Room, sms

ANN, BOB = "+12065550191", "+12065550192"
TEMPLATE = f"{SHOP}/templates/bye"
Intent = inbound_message_pb2.Intent


async def review(
    room: Room, intent: int, inbound_id: str = "in-1"
) -> inbound_message_pb2.InboundMessage:
    request = pb.ReviewInboundMessageRequest(
        name=f"{SHOP}/inboundMessages/{inbound_id}",
        intent=intent,  # type: ignore[arg-type]
    )
    settled: inbound_message_pb2.InboundMessage = await room.conversations.ReviewInboundMessage(
        request
    )
    return settled


async def is_out(room: Room) -> bool:
    request = opt_out_service_pb2.CheckConsentRequest(
        parent=SHOP, origination_identity=NUMBER, destination_addresses=[ANN]
    )
    return bool((await room.consent.CheckConsent(request)).opted_out_addresses)


async def record(room: Room) -> list[opt_out_list_pb2.ConsentChange]:
    request = opt_out_service_pb2.ListConsentChangesRequest(parent=SHOP)
    return list((await room.consent.ListConsentChanges(request)).consent_changes)


async def confirmations(room: Room) -> int:
    async with room.sessions() as session:
        rows = (await session.exec(select(ReplySetRow))).all()
    return sum(row.purpose == "OPT_OUT_CONFIRMATION" for row in rows)


async def test_a_text_that_meant_stop_opts_out_and_is_confirmed_once(room: Room) -> None:
    await room.register()
    await room.receive(sms("I can't, stop it all ok", ANN, inbound_id="in-1"))
    assert not await is_out(room)

    settled = await review(room, Intent.OPT_OUT)

    assert (settled.intent, settled.flagged, settled.consent_changed) == (
        Intent.OPT_OUT,
        False,
        True,
    )
    assert (await is_out(room), await confirmations(room)) == (True, 1)
    (change,) = await record(room)
    assert (change.text, change.caller) == ("I can't, stop it all ok", "tester")
    with pytest.raises(FailedPrecondition) as refused:
        await review(room, Intent.OPT_OUT)
    assert refused.value.reason == "INBOUND_MESSAGE_NOT_FLAGGED"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"reply_text": "Bye.", "localized_reply_texts": {"de": "Tschüss."}},
        {"template": TEMPLATE},
    ],
    ids=["as by default", "in languages", "by a template"],
)
async def test_a_reviewed_opt_out_is_confirmed_as_stop_is(
    room: Room, settings: dict[str, object]
) -> None:
    room.templates.stored[TEMPLATE] = "Bye {{Attributes.name}}"
    await room.register()
    if settings:
        stop = Keyword(name=f"{SHOP}/phoneNumbers/{NUMBER}/keywords/stop", **settings)  # type: ignore[arg-type]
        mask = field_mask_pb2.FieldMask(paths=["reply_text", *settings])
        await room.keywords.UpdateKeyword(UpdateKeywordRequest(keyword=stop, update_mask=mask))
    await room.receive(sms("STOP", BOB, inbound_id="in-2"))
    await room.receive(sms("I can't, stop it all ok", ANN, inbound_id="in-1"))

    await review(room, Intent.OPT_OUT)

    async with room.sessions() as session:
        of_stop, of_review = (await session.exec(select(ReplySetRow).order_by("id"))).all()
    assert (of_stop.addresses, of_review.addresses) == ([BOB], [ANN])
    for field in ("purpose", "reply_text", "template", "localized_reply_texts"):
        assert getattr(of_review, field) == getattr(of_stop, field)


async def test_a_reviewed_opt_out_is_confirmed_in_the_language_of_its_words(room: Room) -> None:
    await room.register(rule_set=origination_pb2.US)
    await room.receive(sms("ARRET", BOB, inbound_id="in-2"))
    await room.receive(sms("Je dis arrêt", ANN, inbound_id="in-1"))

    for text in ("in-2", "in-1"):
        await review(room, Intent.OPT_OUT, text)

    async with room.sessions() as session:
        told = (await session.exec(select(ReplySetRow.reply_text))).all()
    assert set(told) == {DEFAULTS["stop"].localized_reply_texts["fr"]}


async def test_a_text_that_meant_something_else_only_loses_its_flag(room: Room) -> None:
    await room.register()
    await room.receive(sms("don't stop", ANN, inbound_id="in-1"))

    settled = await review(room, Intent.CHATTER)

    assert (settled.intent, settled.flagged) == (Intent.CHATTER, False)
    assert (await is_out(room), await record(room)) == (False, [])


async def test_who_came_back_since_is_left_in_peace(room: Room) -> None:
    await room.register()
    await room.receive(sms("don't stop", ANN, inbound_id="in-1"), sms("START", ANN, at_seconds=5))

    await review(room, Intent.OPT_OUT)

    assert (await is_out(room), await confirmations(room)) == (False, 0)


async def test_who_was_silenced_by_mistake_is_taken_off_the_list(room: Room) -> None:
    await room.register(rule_set=origination_pb2.AWS)
    await room.receive(sms("stop by tomorrow", ANN, inbound_id="in-1"))
    assert await is_out(room)

    await review(room, Intent.CHATTER)

    assert not await is_out(room)
    newest, _ = await record(room)
    assert newest.kind == opt_out_list_pb2.ConsentChange.OPTED_IN


async def test_another_reason_to_be_out_stays(room: Room) -> None:
    await room.register(rule_set=origination_pb2.AWS)
    put = opt_out_service_pb2.PutOptedOutNumberRequest(
        parent=f"{SHOP}/optOutLists/default", phone_number=ANN
    )
    await room.receive(
        sms("stop", ANN), sms("stop by tomorrow", ANN, inbound_id="in-1", at_seconds=5)
    )
    await room.consent.PutOptedOutNumber(put)

    await review(room, Intent.CHATTER)

    assert await is_out(room)


async def test_a_text_that_is_not_there_cannot_be_settled(room: Room) -> None:
    with pytest.raises(NotFound):
        await review(room, Intent.OPT_OUT, "nothing")
