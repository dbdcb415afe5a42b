"""Texts taken in, on a real database: recorded, announced, visible."""

import asyncio

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.twoway.v1 import (
    conversation_service_pb2,
    events_pb2,
    inbound_message_pb2,
    keyword_pb2,
    keyword_service_pb2,
    opt_out_list_pb2,
    opt_out_service_pb2,
)
from mesh.errors import Error, NotFound
from sqlmodel import col, select
from twoway.tables import ReplySetRow
from twoway_room import NOON, NUMBER, SHOP, Room, announced, delivery, sms

pb = conversation_service_pb2
ANN, BOB = "+12065550191", "+12065550192"
Intent = inbound_message_pb2.Intent


async def listed(room: Room, **narrowed: object) -> list[inbound_message_pb2.InboundMessage]:
    request = pb.ListInboundMessagesRequest(parent=SHOP, **narrowed)  # type: ignore[arg-type]
    return list((await room.conversations.ListInboundMessages(request)).inbound_messages)


async def opted_out(room: Room, *numbers: str) -> list[str]:
    request = opt_out_service_pb2.CheckConsentRequest(
        parent=SHOP, origination_identity=NUMBER, destination_addresses=numbers
    )
    return list((await room.consent.CheckConsent(request)).opted_out_addresses)


async def promised(room: Room) -> list[ReplySetRow]:
    async with room.sessions() as session:
        query = select(ReplySetRow).order_by(col(ReplySetRow.id))
        return list((await session.exec(query)).all())


async def test_stop_from_an_unknown_sender_to_an_unknown_number_counts(room: Room) -> None:
    await room.receive(sms("STOP", ANN))

    assert await opted_out(room, ANN, BOB) == [ANN]
    (change,) = (
        await room.consent.ListConsentChanges(
            opt_out_service_pb2.ListConsentChangesRequest(parent=SHOP)
        )
    ).consent_changes
    assert (change.source, change.text) == (opt_out_list_pb2.KEYWORD, "STOP")
    assert change.origination_identity == NUMBER
    assert change.change_time.ToDatetime(tzinfo=NOON.tzinfo) == NOON


async def test_stop_goes_on_the_list_of_the_number(room: Room) -> None:
    await room.consent.CreateOptOutList(
        opt_out_service_pb2.CreateOptOutListRequest(parent=SHOP, opt_out_list_id="alerts")
    )
    await room.register(opt_out_list=f"{SHOP}/optOutLists/alerts")
    await room.receive(sms("stop", ANN))

    number = await room.consent.GetOptedOutNumber(
        opt_out_service_pb2.GetOptedOutNumberRequest(
            name=f"{SHOP}/optOutLists/alerts/optedOutNumbers/{ANN}"
        )
    )

    assert number.end_user_opted_out
    assert await opted_out(room, ANN) == [ANN]


async def test_a_delivery_that_comes_again_changes_nothing(room: Room) -> None:
    messages = [sms("STOP", ANN), sms("HELP", BOB)]

    await room.receive(*messages)
    await room.receive(*messages)
    await room.receive(*reversed(messages))

    assert len(await listed(room)) == 2
    assert len(await promised(room)) == 2
    assert len(await announced(room, events_pb2.NumberOptedOut)) == 1


async def test_two_replicas_that_get_the_same_texts_act_once(room: Room) -> None:
    messages = [sms("STOP", f"+1206{number:07}") for number in range(1, 51)]

    await asyncio.gather(*(room.receive(*messages) for _ in range(4)))

    sets = await promised(room)
    assert sum(len(row.addresses) for row in sets) == 50
    assert len(await listed(room)) == 50


async def test_the_opt_out_and_its_promised_confirmation_are_one(room: Room) -> None:
    await room.receive(sms("STOP", ANN), sms("Stop please", BOB))

    (promise,) = await promised(room)

    assert promise.purpose == "OPT_OUT_CONFIRMATION"
    assert promise.addresses == [ANN, BOB]
    assert promise.origination_identity == NUMBER


async def test_stop_start_stop_over_several_deliveries_ends_opted_out(room: Room) -> None:
    await room.receive(sms("STOP", ANN, at_seconds=0))
    await room.receive(sms("START", ANN, at_seconds=1))
    assert await opted_out(room, ANN) == []
    await room.receive(sms("STOP", ANN, at_seconds=2))
    await room.receive(sms("START", ANN, at_seconds=1.5, inbound_id="late"))

    assert await opted_out(room, ANN) == [ANN]
    assert len(await promised(room)) == 3


async def test_an_opt_out_by_a_call_is_confirmed_once_when_the_person_says_stop(
    room: Room,
) -> None:
    await room.consent.PutOptedOutNumber(
        opt_out_service_pb2.PutOptedOutNumberRequest(
            parent=f"{SHOP}/optOutLists/default", phone_number=ANN
        )
    )

    await room.receive(sms("STOP", ANN))
    await room.receive(sms("STOP", ANN, at_seconds=1))

    assert len(await promised(room)) == 1


async def test_what_happened_is_announced(room: Room) -> None:
    await room.register()
    await room.keywords.CreateKeyword(
        keyword_service_pb2.CreateKeywordRequest(
            parent=f"{SHOP}/phoneNumbers/{NUMBER}",
            keyword=keyword_pb2.Keyword(keyword="JOIN", action=keyword_pb2.Keyword.OPT_IN),
        )
    )

    await room.receive(
        sms("STOP", ANN), sms("STOP", BOB), sms("join", ANN, at_seconds=1), sms("hello", ANN)
    )

    (out,) = await announced(room, events_pb2.NumberOptedOut)
    (back,) = await announced(room, events_pb2.NumberOptedIn)
    (matched,) = await announced(room, events_pb2.KeywordMatched)
    (received,) = await announced(room, events_pb2.InboundMessageReceived)
    assert [change.destination_address for change in out.changes] == [ANN, BOB]  # type: ignore[attr-defined]
    assert [change.destination_address for change in back.changes] == [ANN]  # type: ignore[attr-defined]
    assert [match.keyword_text for match in matched.matches] == ["JOIN"]  # type: ignore[attr-defined]
    assert len(received.inbound_messages) == 4  # type: ignore[attr-defined]


async def test_a_number_without_two_way_is_not_announced_but_kept(room: Room) -> None:
    await room.register(two_way_enabled=False)

    await room.receive(sms("hello", ANN))

    assert not await announced(room, events_pb2.InboundMessageReceived)
    assert len(await listed(room)) == 1


@pytest.mark.parametrize(
    "message",
    [
        sms("", ANN),
        sms("x" * 12_000, ANN, inbound_id="long"),
        sms("null \x00 byte", ANN, inbound_id="nul\x00/id"),
        sms("STOP", "", inbound_id="nobody"),
        sms("STOP", "ACME", inbound_id="acme"),
        sms("STOP", "12345"),
        sms("STOP", NUMBER),
        sms("\ud7ff\uffff\U0010ffff", ANN),
    ],
    ids=["empty", "long", "nul", "nobody", "name", "short code", "itself", "strange"],
)
async def test_whatever_a_carrier_sends_is_kept(room: Room, message: object) -> None:
    await room.receive(message)  # type: ignore[arg-type]

    (kept,) = await listed(room)
    assert len(kept.text) <= 10_000
    again = await room.conversations.GetInboundMessage(pb.GetInboundMessageRequest(name=kept.name))
    assert again == kept


async def test_a_flood_of_endless_texts_is_announced_in_pieces_that_fit(room: Room) -> None:
    await room.receive(
        *(
            sms("stop " * 2_000, f"+1206{number:07}", inbound_id=f"{number}")
            for number in range(200)
        )
    )

    events = await announced(room, events_pb2.NumberOptedOut)
    assert sum(len(event.changes) for event in events) == 200  # type: ignore[attr-defined]
    assert all(event.ByteSize() < 1_000_000 for event in events)  # type: ignore[attr-defined]


async def test_a_time_from_a_wrong_clock_is_not_believed(room: Room) -> None:
    await room.receive(sms("STOP", ANN, at_seconds=86_400 * 365))
    await room.receive(sms("START", ANN, at_seconds=60))

    assert await opted_out(room, ANN) == []


async def test_bytes_that_are_no_texts_are_refused_for_good(room: Room) -> None:
    from dataclasses import replace

    broken = replace(delivery([]), data=b"\xff\xff\xff")

    with pytest.raises(Error) as refused:
        await room._receiver.handle([broken])

    assert refused.value.reason == "MESSAGE_MALFORMED"


async def test_applications_do_not_see_each_other(room: Room) -> None:
    await room.receive(sms("STOP", ANN, inbound_id="one"), application="shop")
    await room.receive(sms("HELP", ANN, inbound_id="one"), application="bank")

    (mine,) = await listed(room)
    assert mine.intent == Intent.OPT_OUT
    assert await opted_out(room, ANN) == [ANN]


async def test_inbound_messages_are_listed_by_number_sender_time_and_meaning(room: Room) -> None:
    other = "+12065550101"
    await room.receive(
        sms("STOP", ANN, at_seconds=0),
        sms("hello", BOB, at_seconds=1),
        sms("don't stop", ANN, other, at_seconds=2),
        sms("HELP", BOB, other, at_seconds=3),
    )
    second = Timestamp()
    second.FromDatetime(NOON.replace(second=1))
    third = Timestamp()
    third.FromDatetime(NOON.replace(second=3))

    async def texts(**narrowed: object) -> list[str]:
        return [message.text for message in await listed(room, **narrowed)]

    assert await texts() == ["HELP", "don't stop", "hello", "STOP"]
    assert await texts(source_address=ANN) == ["don't stop", "STOP"]
    assert await texts(destination_address=NUMBER) == ["hello", "STOP"]
    assert await texts(start_time=second, end_time=third) == ["don't stop", "hello"]
    assert await texts(intents=[Intent.HELP, Intent.OPT_OUT]) == ["HELP", "STOP"]
    assert await texts(flagged=True) == ["don't stop"]


async def test_inbound_messages_come_page_by_page(room: Room) -> None:
    # Equal times: the order of recording decides, and no page repeats or leaves out.
    await room.receive(*(sms(f"text {number}", ANN, at_seconds=0) for number in range(7)))

    texts, token = [], ""
    while True:
        request = pb.ListInboundMessagesRequest(parent=SHOP, page_size=3, page_token=token)
        page = await room.conversations.ListInboundMessages(request)
        texts += [message.text for message in page.inbound_messages]
        token = page.next_page_token
        if not token:
            break

    assert texts == [f"text {number}" for number in reversed(range(7))]


async def test_an_inbound_message_that_is_not_there_is_not_found(room: Room) -> None:
    with pytest.raises(NotFound):
        await room.conversations.GetInboundMessage(
            pb.GetInboundMessageRequest(name=f"{SHOP}/inboundMessages/none")
        )
