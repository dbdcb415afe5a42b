"""SendMessages: what is accepted, refused, repeated, and sent."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.content_pb2 import MessageContent, Purpose
from heliograph.messaging.v1.message_pb2 import Message
from mesh.errors import (
    DeadlineExceeded,
    InvalidArgument,
    PermissionDenied,
    Unavailable,
    Unimplemented,
)
from mesh.rpc.status import to_error
from mesh.store import purging
from mesh.testkit.waiting import eventually
from messaging import housekeeping
from messaging.render import timestamp
from messaging_samples import PARENT, START, content, endpoint, number, send_request, to


async def test_a_message_to_an_address_is_accepted_sent_and_found(room):
    answer = await room.messages.SendMessages(send_request(to(number(1))))

    [result] = answer.results
    assert result.state == Message.ACCEPTED
    await room.settled(1)
    message = await room.messages.GetMessage(rpc.GetMessageRequest(name=result.message))
    assert message.name == result.message
    assert message.state == Message.DELIVERED
    assert message.address == number(1)
    assert message.origination_identity == "+12065550100"
    assert message.purpose == Purpose.TRANSACTIONAL
    assert message.parts == 1
    assert message.provider_message_id


async def test_a_message_to_an_endpoint_knows_whose_it_is(room):
    room.endpoints.known[f"{PARENT}/endpoints/e1"] = endpoint(1)
    recipient = rpc.Recipient(
        endpoint=f"{PARENT}/endpoints/e1", context={"order": "7"}, substitutions={"code": "123"}
    )

    await room.messages.SendMessages(
        send_request(recipient, content=content("{{User.UserId}}: {{code}}"))
    )

    await room.settled(1)
    [entry] = await room.arrived()
    assert entry["text"] == "u1: 123"
    [found] = (await room.messages.ListMessages(rpc.ListMessagesRequest(parent=PARENT))).messages
    assert found.endpoint == f"{PARENT}/endpoints/e1"
    assert found.user_id == "u1"
    assert dict(found.context) == {"order": "7"}


async def test_each_refused_recipient_has_its_error_and_hinders_nobody(room):
    answer = await room.messages.SendMessages(
        send_request(
            to("12345"),
            to(number(1)),
            to("a@example.com", ChannelType.EMAIL),
            rpc.Recipient(endpoint=f"{PARENT}/endpoints/nobody"),
        )
    )

    reasons = [to_error(one.error).reason if one.error.code else "" for one in answer.results]
    assert reasons == ["ADDRESS_INVALID", "", "CONTENT_MISSING", "ENDPOINT_NOT_FOUND"]
    assert "12345" not in answer.results[0].error.message
    assert [bool(one.message) for one in answer.results] == [False, True, False, False]
    assert await room.settled(1) == {number(1): "DELIVERED"}


async def test_the_same_request_id_gives_the_same_answer_and_sends_once(room):
    request = send_request(to(number(1)), to("12345"), to(number(2)), request_id="order-7")

    first = await room.messages.SendMessages(request)
    answers = await asyncio.gather(*(room.messages.SendMessages(request) for _ in range(20)))

    assert all(answer == first for answer in answers)
    await room.settled(2)
    assert Counter(entry["destination"] for entry in await room.arrived()) == {
        number(1): 1,
        number(2): 1,
    }


async def test_requests_with_one_id_at_the_same_moment_send_once(room):
    request = send_request(to(number(1)), request_id="order-7")

    answers = await asyncio.gather(*(room.messages.SendMessages(request) for _ in range(50)))

    assert len({answer.results[0].message for answer in answers}) == 1
    await room.settled(1)
    assert len(await room.arrived()) == 1


async def test_a_request_id_is_not_used_for_another_request(room):
    await room.messages.SendMessages(send_request(to(number(1)), request_id="order-7"))

    with pytest.raises(InvalidArgument) as refused:
        await room.messages.SendMessages(send_request(to(number(2)), request_id="order-7"))

    assert refused.value.reason == "REQUEST_ID_REUSED"
    await room.settled(1)


async def test_request_ids_of_two_applications_are_two(room, mint_token):
    accounts = (room.carrier.system_id, f"{room.carrier.system_id}-2")
    await room.carrier.remote.behave(accounts=dict.fromkeys(accounts, "secret"))
    await room.open_channel("store", system_id=accounts[1])

    for application in ("shop", "store"):
        request = send_request(to(number(1)), request_id="order-7")
        request.parent = f"applications/{application}"
        await room.messages.SendMessages(request)

    await eventually(lambda: two_arrived(room))


async def two_arrived(room):
    return len(await room.arrived()) == 2


async def test_a_thousand_calls_at_once_each_get_their_own_message(room):
    requests = [send_request(to(number(i)), content=content(f"for {i}")) for i in range(1000)]

    answers = await asyncio.gather(*(room.messages.SendMessages(one) for one in requests))

    assert len({answer.results[0].message for answer in answers}) == 1000
    states = await room.settled(1000)
    assert Counter(states.values()) == {"DELIVERED": 1000}
    texts = {entry["destination"]: entry["text"] for entry in await room.arrived()}
    assert texts == {number(i): f"for {i}" for i in range(1000)}


@pytest.mark.parametrize("part", ["voice", "in_app", "custom"])
async def test_content_that_is_not_sent_yet_is_refused_and_named(room, part):
    said = MessageContent()
    getattr(said, part).SetInParent()
    if part == "voice":
        said.voice.body = "hello"

    with pytest.raises(Unimplemented) as refused:
        await room.messages.SendMessages(send_request(to(number(1)), content=said))

    assert refused.value.reason == "FIELD_NOT_SUPPORTED"
    assert refused.value.metadata["field"] == f"content.{part}"


async def test_a_template_that_does_not_compile_is_refused(room):
    with pytest.raises(InvalidArgument) as refused:
        await room.messages.SendMessages(send_request(to(number(1)), content=content("{{#if")))

    assert refused.value.reason == "TEMPLATE_INVALID"
    assert "sms.body" in refused.value.message


async def test_a_time_that_is_over_is_refused(room):
    past = timestamp(START - timedelta(minutes=1))

    with pytest.raises(InvalidArgument) as refused:
        await room.messages.SendMessages(send_request(to(number(1)), expire_time=past))

    assert refused.value.reason == "EXPIRE_TIME_PAST"


@pytest.mark.parametrize(
    "purpose",
    [Purpose.OPT_OUT_CONFIRMATION, Purpose.HELP_REPLY, Purpose.OPT_IN_QUESTION],
)
async def test_only_services_may_pass_by_consent(room, purpose, mint_token):
    user = room.connect(room.address, token=mint_token(["shop"], roles=["writer"]))

    with pytest.raises(PermissionDenied) as refused:
        await room.stub_of(user).SendMessages(send_request(to(number(1)), purpose=purpose))

    assert refused.value.reason == "PURPOSE_RESERVED"


async def test_without_audience_endpoints_are_not_guessed(room):
    room.endpoints.away = True

    with pytest.raises(Unavailable) as refused:
        await room.messages.SendMessages(
            send_request(rpc.Recipient(endpoint=f"{PARENT}/endpoints/e1"))
        )

    assert refused.value.reason == "AUDIENCE_UNAVAILABLE"


async def test_a_batch_left_behind_by_a_crash_is_published(room):
    await room.messages.SendMessages(send_request(to(number(1))))
    await room.settled(1)
    later = START + timedelta(days=1)
    await room.pool.execute("UPDATE direct_batches SET create_time = now() - interval '1 minute'")

    await room.assembly.outbox.sweep(later)

    assert await room.pool.fetchval("SELECT count(*) FROM direct_batches") == 0
    assert len(await room.arrived()) == 1


async def test_while_the_bus_is_away_a_send_is_unconfirmed_and_sent_later(room, nats_stopped):
    request = send_request(to(number(1)), request_id="order-7")
    another = send_request(to(number(2)))

    async with nats_stopped():
        calls = [room.messages.SendMessages(one, timeout=5) for one in (request, another)]
        errors = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(error, (Unavailable, DeadlineExceeded)) for error in errors)
    assert errors[1].reason in ("SEND_UNCONFIRMED", "DEADLINE_EXCEEDED")
    await room.messages.SendMessages(request)
    assert await room.settled(2) == {number(1): "DELIVERED", number(2): "DELIVERED"}
    assert len(await room.arrived()) == 2


async def test_what_cannot_be_stored_spoils_nobody_elses_call(room):
    odd = send_request(to(number(0), context={"a\0b": "c\0d"}))
    worse = send_request(to(number(1)), request_id="a\0b")

    answers = await asyncio.gather(
        room.messages.SendMessages(odd),
        room.messages.SendMessages(worse),
        *(room.messages.SendMessages(send_request(to(number(i)))) for i in range(2, 30)),
        return_exceptions=True,
    )

    assert isinstance(answers[1], InvalidArgument)
    assert [answer for answer in answers if isinstance(answer, Exception)] == [answers[1]]
    await room.settled(29)


async def test_old_request_ids_and_runs_are_forgotten(room):
    await room.messages.SendMessages(send_request(to(number(1)), request_id="r"))
    await room.settled(1)
    purges = housekeeping.purges()

    await purging.step(room.assembly.sessions, purges, START)
    kept = await room.pool.fetchval("SELECT count(*) FROM send_requests")
    await room.pool.execute("UPDATE send_requests SET create_time = now() - interval '8 days'")
    await purging.step(room.assembly.sessions, purges, datetime.now(UTC))

    assert kept == 1
    assert await room.pool.fetchval("SELECT count(*) FROM send_requests") == 0
