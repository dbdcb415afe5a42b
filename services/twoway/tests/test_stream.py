"""The stream of inbound messages: live, resumable, complete with several replicas."""

import asyncio
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.twoway.v1 import conversation_service_pb2 as pb
from mesh.errors import InvalidArgument
from twoway_room import NOON, SHOP, Room, sms

ANN, BOB = "+12065550191", "+12065550192"


class Reader:
    """Reads a stream into a list of texts; `token` continues it."""

    def __init__(self, room: Room, **request: Any) -> None:
        self._request = pb.StreamInboundMessagesRequest(parent=SHOP, **request)
        self._room = room
        self.token = ""

    async def __aenter__(self) -> "Reader":
        self._call = self._room.conversations.StreamInboundMessages(self._request, timeout=120)
        self._responses = aiter(self._call)
        opened = await anext(self._responses)
        assert not opened.inbound_messages
        self.token = opened.resume_token
        return self

    async def __aexit__(self, *_: object) -> None:
        self._call.cancel()

    async def read(self, count: int) -> list[str]:
        texts: list[str] = []
        while len(texts) < count:
            response = await anext(self._responses)
            texts += [message.text for message in response.inbound_messages]
            self.token = response.resume_token
        return texts


async def test_new_texts_arrive_as_they_come(room: Room) -> None:
    await room.receive(sms("before", ANN))

    async with Reader(room) as reader:
        await room.receive(sms("one", ANN, at_seconds=1))
        assert await reader.read(1) == ["one"]
        await room.receive(sms("two", ANN, at_seconds=2), sms("three", BOB, at_seconds=3))
        assert await reader.read(2) == ["two", "three"]


async def test_a_reader_who_comes_back_misses_nothing_and_sees_nothing_twice(room: Room) -> None:
    async with Reader(room) as reader:
        await room.receive(sms("one", ANN))
        assert await reader.read(1) == ["one"]
        token = reader.token
    await room.receive(*(sms(f"{number}", ANN, at_seconds=number) for number in range(2, 12)))

    async with Reader(room, resume_token=token, page_size=3) as reader:
        assert await reader.read(10) == [f"{number}" for number in range(2, 12)]


async def test_a_stream_can_begin_in_the_past(room: Room) -> None:
    await room.receive(*(sms(f"{number}", ANN, at_seconds=number) for number in range(5)))
    start_time = Timestamp()
    start_time.FromDatetime(NOON.replace(second=3))

    async with Reader(room, start_time=start_time) as reader:
        assert await reader.read(2) == ["3", "4"]


async def test_a_stream_shows_only_what_was_asked_for(room: Room) -> None:
    async with Reader(room, source_address=BOB) as reader:
        await room.receive(sms("from Ann", ANN), sms("from Bob", BOB, at_seconds=1))
        assert await reader.read(1) == ["from Bob"]


async def test_texts_taken_in_by_many_replicas_at_once_all_arrive(room: Room) -> None:
    async with Reader(room) as reader:
        writing = asyncio.gather(
            *(
                room.receive(*(sms(f"{writer}-{number}", ANN) for number in range(10)))
                for writer in range(8)
            )
        )
        texts = await reader.read(80)
        await writing

    assert sorted(texts) == sorted(f"{w}-{n}" for w in range(8) for n in range(10))


@pytest.mark.parametrize("token", ["nonsense", "W10", "WyJ4IiwxXQ"])
async def test_a_token_of_no_stream_is_refused(room: Room, token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        async with Reader(room, resume_token=token):
            pass

    assert refused.value.reason == "RESUME_TOKEN_INVALID"


async def test_a_token_of_another_stream_is_refused(room: Room) -> None:
    async with Reader(room, source_address=BOB) as reader:
        token = reader.token

    with pytest.raises(InvalidArgument):
        async with Reader(room, source_address=ANN, resume_token=token):
            pass
