"""BatchSendMessages: many sends in one call, each accepted or refused by itself."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.content_pb2 import CustomContent, MessageContent, Purpose
from mesh.errors import InvalidArgument, PermissionDenied
from mesh.rpc.status import to_error
from messaging.render import timestamp
from messaging_samples import PARENT, content, endpoint, number, send_request, to


def batch(*requests, parent=PARENT):
    return rpc.BatchSendMessagesRequest(parent=parent, requests=requests)


def send(index, **fields):
    return send_request(to(number(index)), request_id=f"r{index}", **fields)


def personal(index):
    address = rpc.Recipient.Address(
        channel_type=ChannelType.SMS, address=number(index), personal=True
    )
    return rpc.Recipient(address=address)


def reasons(answer):
    return [to_error(one.error).reason if one.HasField("error") else "" for one in answer.results]


async def test_each_send_has_its_answer_and_all_share_a_batch(room, service_token):
    stub = room.stub_of(room.connect(room.address, token=service_token))
    purposes = [Purpose.OPT_OUT_CONFIRMATION, Purpose.HELP_REPLY, Purpose.TRANSACTIONAL]

    answer = await stub.BatchSendMessages(
        batch(*(send(purpose, purpose=purpose) for purpose in purposes))
    )

    assert reasons(answer) == ["", "", ""]
    messages = [one.response.results[0].message for one in answer.results]
    await room.settled(3)
    for message, purpose in zip(messages, purposes, strict=True):
        found = await room.messages.GetMessage(rpc.GetMessageRequest(name=message))
        assert (found.purpose, found.address) == (purpose, number(purpose))
    assert await room.pool.fetchval("SELECT count(DISTINCT batch_id) FROM messages") == 1


async def test_what_is_wrong_with_one_send_is_said_of_it_and_hinders_no_other(room):
    past = timestamp(datetime.now(UTC) - timedelta(seconds=1))
    unsupported = MessageContent(custom=CustomContent(data="x"))
    answer = await room.messages.BatchSendMessages(
        batch(
            send(1),
            send_request(to(number(2))),
            send(3, content=unsupported),
            send_request(request_id="nobody"),
            send(4, expire_time=past),
            send(5, purpose=Purpose.HELP_REPLY),
            send_request(to("12345"), request_id="short"),
        )
    )

    assert reasons(answer) == [
        *("", "REQUIRED", "FIELD_NOT_SUPPORTED", "REQUEST_INVALID", "EXPIRE_TIME_PAST"),
        *("PURPOSE_RESERVED", ""),
    ]
    assert to_error(answer.results[1].error).violations[0].field == "request_id"
    assert to_error(answer.results[3].error).violations[0].field == "recipients"
    assert to_error(answer.results[6].response.results[0].error).reason == "ADDRESS_INVALID"
    assert await room.settled(1) == {number(1): "DELIVERED"}


async def test_a_repeated_call_gives_the_same_answers_and_sends_nothing(room):
    sends = batch(*(send(index) for index in range(20)))

    first, *others = await asyncio.gather(*(room.messages.BatchSendMessages(sends) for _ in "abc"))

    assert reasons(first) == [""] * 20
    assert others == [first, first]
    await room.settled(20)
    assert len(await room.arrived()) == 20


async def test_two_sends_with_one_id_are_one_if_they_say_the_same(room):
    answer = await room.messages.BatchSendMessages(
        batch(send(1), send(1), send(1, content=content("something else")))
    )

    assert reasons(answer) == ["", "", "REQUEST_ID_REUSED"]
    assert answer.results[0] == answer.results[1]
    await room.settled(1)
    assert len(await room.arrived()) == 1


async def test_audience_is_asked_once_for_all_sends(room):
    room.endpoints.known[f"{PARENT}/endpoints/e9"] = endpoint(9)
    named = rpc.Recipient(endpoint=f"{PARENT}/endpoints/e9")

    answer = await room.messages.BatchSendMessages(
        batch(
            send_request(personal(1), request_id="a"),
            send_request(personal(2), request_id="b"),
            send_request(named, request_id="c"),
        )
    )

    assert reasons(answer) == ["", "", ""]
    assert room.endpoints.finds == 1
    await room.settled(3)


async def test_without_audience_only_those_are_refused_that_cannot_do_without(room):
    room.endpoints.away = True
    named = rpc.Recipient(endpoint=f"{PARENT}/endpoints/e9")
    speaking = content("Hi {{User.UserAttributes.FirstName}}!")

    answer = await room.messages.BatchSendMessages(
        batch(
            send_request(personal(1), request_id="a", content=speaking),
            send_request(personal(2), request_id="b", content=content("Hello")),
            send_request(named, request_id="c"),
            send(3),
        )
    )

    assert reasons(answer) == ["AUDIENCE_UNAVAILABLE", "", "AUDIENCE_UNAVAILABLE", ""]
    await room.settled(2)


async def test_a_batch_is_of_one_application(room, mint_token):
    both = room.stub_of(room.connect(room.address, token=mint_token(["shop", "bank"])))
    shop = room.stub_of(room.connect(room.address, token=mint_token(["shop"])))
    foreign, silent = send(1), send(2)
    foreign.parent, silent.parent = "applications/bank", ""

    answer = await both.BatchSendMessages(batch(foreign, silent))
    with pytest.raises(PermissionDenied):
        await shop.BatchSendMessages(batch(foreign))

    assert reasons(answer) == ["APPLICATION_MISMATCH", ""]
    await room.settled(1)


@pytest.mark.parametrize("count", [0, 101])
async def test_a_batch_has_one_to_a_hundred_sends(room, count):
    with pytest.raises(InvalidArgument) as refused:
        await room.messages.BatchSendMessages(batch(*(send(index) for index in range(count))))

    assert refused.value.violations[0].field == "requests"
