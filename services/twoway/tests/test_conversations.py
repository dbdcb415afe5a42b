"""Conversations: begun by a person, read from both sides, found, assigned, closed and reopened."""

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from heliograph.twoway.v1.conversation_pb2 import Conversation
from mesh.errors import (
    Aborted,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from twoway.conversations import finding
from twoway.conversations.threads import conversation_id
from twoway_room import NOON, NUMBER, SHOP, Room, sms

ANN, BEN, CY = "+12065550191", "+12065550192", "+12065550193"
OTHER = "+12065550101"


def name(person: str = ANN, number: str = NUMBER) -> str:
    return f"{SHOP}/conversations/{conversation_id('shop', number, person)}"


async def get(room: Room, person: str = ANN) -> Conversation:
    request = pb.GetConversationRequest(name=name(person))
    found: Conversation = await room.conversations.GetConversation(request)
    return found


async def listed(room: Room, page_size: int = 0, **wanted: Any) -> list[str]:
    """The people of all conversations that are meant, page by page."""
    request = pb.ListConversationsRequest(parent=SHOP, page_size=page_size, **wanted)
    return await paged(room.conversations.ListConversations, request)


async def searched(room: Room, query: str, page_size: int = 0) -> list[str]:
    request = pb.SearchConversationsRequest(parent=SHOP, query=query, page_size=page_size)
    return await paged(room.conversations.SearchConversations, request)


async def paged(method: Any, request: Any) -> list[str]:
    people: list[str] = []
    while True:
        page = await method(request)
        people += [one.source_address for one in page.conversations]
        if not page.next_page_token:
            return people
        request.page_token = page.next_page_token


def sent(index: int, at_seconds: float, person: str = ANN, **fields: Any) -> Message:
    """A message of messaging's ledger."""
    message = Message(
        name=f"{SHOP}/messages/m{index}",
        address=person,
        origination_identity=NUMBER,
        state=Message.DELIVERED,
        **fields,
    )
    message.send_time.FromDatetime(NOON + timedelta(seconds=at_seconds))
    return message


async def lines(room: Room, page_size: int = 0, *, oldest_first: bool = False) -> list[str]:
    """What was said in Ann's conversation, in words."""
    request = pb.ListConversationMessagesRequest(
        name=name(), page_size=page_size, oldest_first=oldest_first
    )
    said: list[str] = []
    while True:
        page = await room.conversations.ListConversationMessages(request)
        for line in page.messages:
            ours = line.outbound_message.message.rpartition("/")[2]
            said.append(ours or line.inbound_message.text)
        if not page.next_page_token:
            return said
        request.page_token = page.next_page_token


async def test_a_text_begins_the_conversation_of_its_number_and_person(room: Room) -> None:
    await room.receive(sms("hello", ANN), sms("hi", BEN, at_seconds=1))
    await room.receive(sms("again", ANN, at_seconds=2), sms("there", ANN, OTHER, at_seconds=3))

    found = await get(room)
    assert (found.source_address, found.state) == (ANN, Conversation.OPEN)
    assert found.phone_number == f"{SHOP}/phoneNumbers/{NUMBER}"
    assert found.create_time.ToSeconds() == int(NOON.timestamp())
    assert found.last_message_time.ToSeconds() == int(NOON.timestamp()) + 2
    assert await listed(room) == [ANN, ANN, BEN]
    assert await listed(room, page_size=1) == [ANN, ANN, BEN]
    assert await listed(room, phone_number=f"{SHOP}/phoneNumbers/{OTHER}") == [ANN]
    assert await listed(room, source_address="1 (206) 555-0192") == [BEN]
    (text, *_) = (
        await room.conversations.ListInboundMessages(pb.ListInboundMessagesRequest(parent=SHOP))
    ).inbound_messages
    assert text.conversation == name(number=OTHER)


async def test_an_unknown_conversation_is_not_found(room: Room) -> None:
    with pytest.raises(NotFound) as refused:
        await get(room)
    assert refused.value.reason == "CONVERSATION_NOT_FOUND"


async def test_a_conversation_is_closed_and_a_text_or_a_person_opens_it(room: Room) -> None:
    await room.receive(sms("hello", ANN), sms("hello", BEN))
    close = pb.CloseConversationRequest(name=name())
    assert (await room.conversations.CloseConversation(close)).state == Conversation.CLOSED

    with pytest.raises(FailedPrecondition) as refused:
        await room.conversations.CloseConversation(close)
    assert refused.value.reason == "CONVERSATION_STATE_WRONG"
    assert await listed(room, state=Conversation.OPEN) == [BEN]
    await room.conversations.ReopenConversation(pb.ReopenConversationRequest(name=name()))
    assert (await get(room)).state == Conversation.OPEN
    await room.conversations.CloseConversation(close)
    await room.receive(sms("one more thing", ANN, at_seconds=5))
    assert (await get(room)).state == Conversation.OPEN


async def test_nobody_closes_what_they_have_not_read(room: Room) -> None:
    await room.receive(sms("hello", ANN))
    read = await get(room)
    await room.receive(sms("wait", ANN, at_seconds=1))

    with pytest.raises(Aborted):
        await room.conversations.CloseConversation(
            pb.CloseConversationRequest(name=name(), etag=read.etag)
        )


async def test_a_conversation_is_assigned_and_labelled(room: Room) -> None:
    await room.receive(sms("hello", ANN), sms("hello", BEN))
    wanted = Conversation(name=name(), assignee="dora", labels=["vip", "order", "vip"])
    request = pb.UpdateConversationRequest(conversation=wanted)

    updated = await room.conversations.UpdateConversation(request)
    assert (updated.assignee, list(updated.labels)) == ("dora", ["vip", "order"])
    assert await listed(room, assignee="dora") == [ANN]
    request.update_mask.CopyFrom(FieldMask(paths=["assignee"]))
    request.conversation.assignee = ""
    assert list((await room.conversations.UpdateConversation(request)).labels) == ["vip", "order"]
    assert await listed(room, assignee="dora") == []


@pytest.mark.parametrize("page_size", [0, 1, 2, 3])
async def test_both_sides_are_read_from_either_end(room: Room, page_size: int) -> None:
    room.messaging.ledger = [
        sent(0, -5),
        sent(1, 1),
        sent(2, 1),
        sent(3, 2),
        sent(4, 1, BEN),
    ]
    await room.receive(
        sms("a", ANN, at_seconds=0),
        sms("b", ANN, at_seconds=1),
        sms("c", ANN, at_seconds=3),
        sms("to another number", ANN, OTHER, at_seconds=1),
    )

    oldest = ["m0", "a", "b", "m1", "m2", "m3", "c"]
    assert await lines(room, page_size, oldest_first=True) == oldest
    assert await lines(room, page_size) == oldest[::-1]


async def test_without_the_ledger_no_half_of_a_conversation_is_shown(room: Room) -> None:
    await room.receive(sms("a", ANN))
    room.messaging.away = True

    with pytest.raises(Unavailable) as refused:
        await lines(room)
    assert refused.value.reason == "MESSAGING_UNAVAILABLE"


async def test_conversations_are_found_by_the_words_of_a_text(room: Room) -> None:
    await room.receive(sms("Where is my blue parcel?", ANN), application="other")
    await room.receive(
        sms("Where is my BLUE parcel?", ANN),
        sms("my parcel came, thanks", BEN, at_seconds=1),
        sms("blue", CY, at_seconds=2),
        sms("parcel", CY, at_seconds=3),
        sms("SCHÖNE GRÜSSE", CY, at_seconds=4),
    )

    assert await searched(room, "parcel") == [CY, BEN, ANN]
    assert await searched(room, "parcel", page_size=1) == [CY, BEN, ANN]
    assert await searched(room, "PARCEL blue") == [ANN], "all words, in one text"
    assert await searched(room, "schöne grüsse") == [CY]
    assert await searched(room, "par") == []
    assert await searched(room, "shop@") == [], "whose a text is, is no word of it"


async def test_a_search_without_words_or_with_those_of_everybody_is_refused(room: Room) -> None:
    await room.receive(*(sms("yes", f"+120655501{index}") for index in range(10, 14)))
    with pytest.raises(InvalidArgument) as empty:
        await searched(room, "?!")
    assert empty.value.reason == "QUERY_EMPTY"
    async with room.sessions() as session:
        with pytest.raises(ResourceExhausted) as broad:
            await finding.search(session, "shop", "yes", None, 50, matches_max=3)
        assert len(await finding.search(session, "shop", "yes", None, 50, matches_max=4)) == 4
    assert broad.value.reason == "QUERY_TOO_BROAD"
