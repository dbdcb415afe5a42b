"""Of an erased person's conversations nothing stays but what was said since."""

from datetime import timedelta
from typing import Any

import pytest
from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.messaging.v1.message_service_pb2 import FindAnsweredMessagesResponse
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from heliograph.twoway.v1.conversation_pb2 import Conversation
from mesh.errors import NotFound
from mesh.eventing.progress import Progress
from mesh.store.orders import OrderRow
from sqlalchemy import text
from test_conversations import ANN, BEN, get, name, searched
from twoway import clock, people
from twoway.exports.erasing import ExportedLists
from twoway_room import SHOP, Room, sms

TABLES = ("conversations", "hand_replies", "message_answers", "inbound_messages")
ANSWERED = FindAnsweredMessagesResponse.AnsweredMessage(message=f"{SHOP}/messages/m1")


async def rows(room: Room, person: str) -> list[int]:
    """How many rows of each table are of a person."""
    async with room.sessions() as session:
        connection = await session.connection()
        return [
            await connection.scalar(
                text(f"SELECT count(*) FROM {table} WHERE source_address = :person"),
                {"person": person},
            )
            for table in TABLES
        ]


async def erase(room: Room, person: str) -> None:
    """Carry out an order of now."""
    now = clock.now()
    order = OrderRow(
        application="shop",
        operation="o1",
        subject=UserErased(application="shop", addresses=[person]).SerializeToString(),
        order_time=now,
        hear_time=now,
    )
    nowhere: Any = None
    await people.PersonErasing(
        room.sessions, Progress(nowhere, []), ExportedLists(room.sessions)
    ).erase(order)


async def talk(room: Room) -> None:
    """Ann and Ben write and are answered by hand."""
    for person in (ANN, BEN):
        room.messaging.answered[person] = ANSWERED
        await room.receive(sms("parcel", person))
        await room.conversations.ReplyToConversation(
            pb.ReplyToConversationRequest(name=name(person), text="It is on its way")
        )
        wanted = Conversation(name=name(person), assignee="dora", labels=["vip"])
        await room.conversations.UpdateConversation(
            pb.UpdateConversationRequest(conversation=wanted)
        )


async def test_conversations_answers_and_links_of_the_person_go_and_no_others(room: Room) -> None:
    await talk(room)
    assert await rows(room, ANN) == await rows(room, BEN) == [1, 1, 1, 1]

    await erase(room, ANN)

    assert await rows(room, ANN) == [0, 0, 0, 0]
    assert await rows(room, BEN) == [1, 1, 1, 1]
    assert await searched(room, "way") == [BEN]
    with pytest.raises(NotFound):
        await get(room, ANN)


async def test_of_a_conversation_that_went_on_nothing_of_before_is_known(room: Room) -> None:
    await talk(room)
    tomorrow = clock.now() + timedelta(days=1)
    async with room.sessions.begin() as session:
        await (await session.connection()).execute(
            text("UPDATE conversations SET last_message_time = :tomorrow"), {"tomorrow": tomorrow}
        )

    await erase(room, ANN)

    found = await get(room, ANN)
    assert (found.assignee, list(found.labels)) == ("", [])
    assert found.create_time == found.last_message_time
    assert (await get(room, BEN)).assignee == "dora"
