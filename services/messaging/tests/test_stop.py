"""STOP means stop: nothing follows the confirmation of an opt-out."""

import asyncio

from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1.content_pb2 import Purpose
from mesh.testkit.waiting import eventually
from messaging_samples import PARENT, batch, content, endpoint, number, send_request, to

CONFIRMED = "You are unsubscribed."


async def confirm(room, address, service_token):
    """What twoway does: the list first, then the confirmation."""
    room.opt_outs.numbers.add(address)
    stub = room.stub_of(room.connect(room.address, token=service_token))
    await stub.SendMessages(
        send_request(
            to(address),
            content=content(CONFIRMED),
            purpose=Purpose.OPT_OUT_CONFIRMATION,
            request_id=f"confirm-{address}",
        )
    )


async def texts_at(room, address, count):
    """What one phone got, once it is so many texts."""
    texts = [entry["text"] for entry in await room.arrived() if entry["destination"] == address]
    return texts if len(texts) == count else None


async def test_the_confirmation_reaches_an_opted_out_number(room, service_token):
    await confirm(room, number(1), service_token)

    assert await room.settled(1) == {number(1): "DELIVERED"}


async def test_help_is_answered_whatever_the_state(room, service_token):
    room.opt_outs.numbers.add(number(1))
    stub = room.stub_of(room.connect(room.address, token=service_token))

    await stub.SendMessages(send_request(to(number(1)), purpose=Purpose.HELP_REPLY))

    assert await room.settled(1) == {number(1): "DELIVERED"}


async def test_a_transactional_message_respects_an_opt_out(room):
    room.opt_outs.numbers.add(number(1))

    await room.messages.SendMessages(send_request(to(number(1))))

    assert await room.settled(1) == {number(1): "OPTED_OUT"}
    assert await room.arrived() == []


async def test_the_confirmation_waits_for_what_is_under_way(room, service_token):
    await room.carrier.remote.behave(answer_delay_seconds=60.0, receipts={"share": 0.0})
    await room.publish(batch([endpoint(1)]))

    # The carrier has it and has not answered: it is under way, and no consent is asked any more.
    await eventually(room.arrived)
    assert (await room.states())["e1"] == "HANDING"
    await confirm(room, number(1), service_token)
    await confirm(room, number(2), service_token)

    # What was asked for later is being handed over: only what is under way keeps the first.
    async def handed_over():
        states = await room.states()
        return states if states[number(2)] == "HANDING" else None

    assert (await eventually(handed_over))[number(1)] == "ACCEPTED"

    await room.carrier.remote.behave(answer_delay_seconds=0.0)
    arrived = await eventually(lambda: texts_at(room, number(1), 2))
    assert arrived == ["Hello Ann1", CONFIRMED]


async def test_a_confirmation_that_waits_keeps_nobody_else_of_its_batch(room, service_token):
    await room.carrier.remote.behave(answer_delay_seconds=60.0, receipts={"share": 0.0})
    await room.publish(batch([endpoint(1)]))
    await eventually(room.arrived)
    stub = room.stub_of(room.connect(room.address, token=service_token))

    await stub.SendMessages(
        send_request(to(number(1)), to(number(2)), purpose=Purpose.OPT_OUT_CONFIRMATION)
    )

    async def handed_over():
        states = await room.states()
        return states if states[number(2)] == "HANDING" else None

    assert (await eventually(handed_over))[number(1)] == "ACCEPTED"
    await room.carrier.remote.behave(answer_delay_seconds=0.0)
    await eventually(lambda: texts_at(room, number(1), 2))


async def test_help_is_answered_while_nobody_can_say_who_has_opted_out(room, service_token):
    """In one batch with a message that has to wait for consent."""
    room.opt_outs.away = True
    stub = room.stub_of(room.connect(room.address, token=service_token))

    await stub.BatchSendMessages(
        rpc.BatchSendMessagesRequest(
            parent=PARENT,
            requests=[
                send_request(to(number(1)), request_id="1"),
                send_request(to(number(2)), request_id="2", purpose=Purpose.HELP_REPLY),
            ],
        )
    )

    await eventually(lambda: texts_at(room, number(2), 1))
    assert await texts_at(room, number(1), 0) == []
    room.opt_outs.away = False
    assert await room.settled(2) == {number(1): "DELIVERED", number(2): "DELIVERED"}


async def test_nothing_follows_a_confirmation_while_campaigns_run(room, service_token):
    """Several runs write to the same people while these opt out one after the other."""
    people = [endpoint(i) for i in range(200)]
    runs = [
        batch(people, f"run-{run}", run=f"{PARENT}/campaigns/c/runs/r{run}", source=f"r{run}")
        for run in range(6)
    ]

    async def campaign():
        for sent in runs:
            await room.publish(sent)

    async def stopping():
        for i in range(0, 200, 2):
            await confirm(room, number(i), service_token)

    await asyncio.gather(campaign(), stopping())

    await room.settled(6 * 200 + 100)
    texts = {}
    for entry in await room.arrived():
        texts.setdefault(entry["destination"], []).append(entry["text"])
    for i in range(0, 200, 2):
        assert texts[number(i)][-1] == CONFIRMED
        assert texts[number(i)].count(CONFIRMED) == 1
    for i in range(1, 200, 2):
        assert len(texts[number(i)]) == 6
    counts = await room.messages.CountMessages(
        rpc.CountMessagesRequest(parent=PARENT, run=runs[5].run)
    )
    assert counts.total == 200
