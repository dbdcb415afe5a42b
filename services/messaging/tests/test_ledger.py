"""Reading the ledger, and what people decide about messages in it."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from heliograph.messaging.v1 import message_service_pb2 as rpc
from heliograph.messaging.v1 import suppression_service_pb2
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.suppression_pb2 import Suppression
from mesh.errors import InvalidArgument, NotFound
from mesh.rpc.status import to_error
from mesh.testkit.waiting import eventually
from messaging.ledger.partitions import Partitions
from messaging.render import timestamp
from messaging_samples import PARENT, RUN, START, batch, endpoint, number, send_request, to


async def listed(room, **fields):
    pages, token = [], ""
    while True:
        page = await room.messages.ListMessages(
            rpc.ListMessagesRequest(parent=PARENT, page_token=token, **fields)
        )
        pages.append(list(page.messages))
        token = page.next_page_token
        if not token:
            return pages


async def test_messages_are_listed_in_pages_each_once(room):
    await room.publish(batch([endpoint(i) for i in range(25)]))
    await room.messages.SendMessages(send_request(*(to(number(i)) for i in range(100, 110))))
    await room.settled(35)

    pages = await listed(room, page_size=10)

    assert [len(page) for page in pages] == [10, 10, 10, 5]
    names = [message.name for page in pages for message in page]
    assert len(set(names)) == 35
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"endpoint": f"{PARENT}/endpoints/e3"}, 1),
        ({"user_id": "u4"}, 1),
        ({"address": number(5)}, 2),
        ({"run": RUN}, 10),
        ({"states": [Message.SKIPPED]}, 1),
        ({"reasons": [Reason.HOLDOUT]}, 1),
        ({"reasons": [Reason.QUIET_TIME]}, 0),
        ({"start_time": timestamp(START - timedelta(hours=1))}, 11),
        ({"end_time": timestamp(START - timedelta(hours=1))}, 0),
        ({"endpoint": f"{PARENT}/endpoints/nobody"}, 0),
    ],
)
async def test_what_did_this_person_get_and_why_not(room, fields, count):
    sent = batch([endpoint(i) for i in range(10)])
    sent.recipients[9].skip_reason = Reason.HOLDOUT
    await room.publish(sent)
    await room.messages.SendMessages(send_request(to(number(5))))
    await room.settled(11)

    [page] = await listed(room, **fields)

    assert len(page) == count


async def test_a_runs_counts_add_up(room):
    room.opt_outs.numbers |= {number(i) for i in range(5)}
    sent = batch([endpoint(i) for i in range(100)])
    for index in range(90, 100):
        sent.recipients[index].skip_reason = Reason.HOLDOUT
    sent.treatments.add(treatment="B", content=sent.treatments[0].content)
    for index in range(50, 100):
        sent.recipients[index].treatment_index = 1

    await room.publish(sent)

    await room.settled(100)
    answer = await room.messages.CountMessages(rpc.CountMessagesRequest(parent=PARENT, run=RUN))
    counts = {(one.treatment, one.state, one.reason): one.count for one in answer.counts}
    assert answer.total == 100
    assert counts == {
        ("A", Message.DELIVERED, 0): 45,
        ("A", Message.SKIPPED, Reason.OPTED_OUT): 5,
        ("B", Message.DELIVERED, 0): 40,
        ("B", Message.SKIPPED, Reason.HOLDOUT): 10,
    }


async def test_a_message_that_is_not_there_is_not_found(room):
    unknown = f"{PARENT}/messages/01a1ffcd-2d58-7ae0-9c66-6e917899a621"

    with pytest.raises(NotFound) as missing:
        await room.messages.GetMessage(rpc.GetMessageRequest(name=unknown))
    with pytest.raises(InvalidArgument):
        await room.messages.GetMessage(rpc.GetMessageRequest(name=f"{PARENT}/messages/7"))

    assert missing.value.reason == "MESSAGE_NOT_FOUND"


async def test_a_cancelled_run_sends_nothing_more(room):
    room.opt_outs.away = True
    await room.publish(batch([endpoint(i) for i in range(10)]))

    async def accepted():
        return list((await room.states()).values()) == ["ACCEPTED"] * 10

    await eventually(accepted)
    answer = await room.messages.CancelMessages(rpc.CancelMessagesRequest(parent=PARENT, run=RUN))
    room.opt_outs.away = False
    await room.publish(batch([endpoint(i) for i in range(10, 20)], "b2"))

    states = await room.settled(20)

    assert answer.cancelled_count <= 10
    assert Counter(states.values()) == {"CANCELLED": 20}
    assert await room.arrived() == []


@pytest.mark.parametrize(
    ("decision", "word"),
    [
        (rpc.SettleMessagesRequest.MARK_SENT, "SENT"),
        (rpc.SettleMessagesRequest.DROP, "OUTCOME_UNKNOWN"),
    ],
)
async def test_a_person_may_settle_what_nobody_knows(room, decision, word):
    await room.carrier.remote.behave(link_lost_share=1.0, receipts={"share": 0.0})
    await room.publish(batch([endpoint(1)]))

    async def unknown():
        return await room.states() == {"e1": "UNKNOWN"}

    await eventually(unknown)
    [[message]] = await listed(room)
    request = rpc.SettleMessagesRequest(parent=PARENT, names=[message.name], decision=decision)

    first = await room.messages.SettleMessages(request)
    second = await room.messages.SettleMessages(request)

    assert (first.settled_count, second.settled_count) == (1, 0)
    assert await room.states() == {"e1": word}
    assert await room.pool.fetchval("SELECT count(*) FROM unknown_messages") == 0


async def test_what_happens_is_streamed_live(room):
    seen = []

    async def watch():
        call = room.messages.StreamMessages(rpc.StreamMessagesRequest(parent=PARENT, run=RUN))
        async for page in call:
            seen.extend(event.kind for event in page.events)
            if len(seen) == 2:
                return

    watching = asyncio.create_task(watch())

    async def watched():
        return (await room.js.stream_info("MESSAGES")).state.consumer_count > 0

    await eventually(watched)
    await room.publish(batch([endpoint(1)]))

    async with asyncio.timeout(60):
        await watching
    assert len(seen) == 2


async def test_partitions_are_made_ahead_once_and_dropped_after_their_time(room):
    partitions = Partitions(room.assembly.pool, retention_days=10)
    others = [Partitions(room.assembly.pool, retention_days=10) for _ in range(5)]
    day = START.date() - timedelta(days=9)

    await asyncio.gather(*(one.ensure(day, START) for one in [partitions, *others]))
    assert f"messages_{day:%Y%m%d}" in await partition_names(room)
    await partitions.prepare(START + timedelta(days=2))

    names = await partition_names(room)
    assert f"messages_{day:%Y%m%d}" not in names
    assert f"messages_{START.date() + timedelta(days=4):%Y%m%d}" in names


async def partition_names(room):
    records = await room.pool.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'messages'::regclass"
    )
    return [record[0] for record in records]


@pytest.mark.parametrize("days", [-1000, 30])
async def test_a_day_that_the_ledger_does_not_reach_is_refused(room, days):
    with pytest.raises(InvalidArgument) as refused:
        await room.assembly.partitions.ensure(START.date() + timedelta(days=days), START)

    assert refused.value.reason == "SOURCE_TIME_INVALID"


def suppression(address, **fields):
    return suppression_service_pb2.CreateSuppressionRequest(
        parent=PARENT, suppression=Suppression(address=address, **fields)
    )


async def test_a_suppressed_address_gets_nothing_until_it_is_lifted(room):
    made = await room.suppressions.CreateSuppression(suppression("+1 415 555 0001"))
    await room.messages.SendMessages(send_request(to(number(1))))
    assert await room.settled(1) == {number(1): "SUPPRESSED"}

    await room.suppressions.DeleteSuppression(
        suppression_service_pb2.DeleteSuppressionRequest(name=made.name)
    )
    await room.messages.SendMessages(send_request(to(number(1))))

    await room.settled(2)
    assert len(await room.arrived()) == 1


async def test_a_suppression_ends_at_its_time(room):
    over = timestamp(START - timedelta(minutes=1))
    await room.suppressions.CreateSuppression(suppression(number(1), expire_time=over))

    await room.messages.SendMessages(send_request(to(number(1))))

    assert await room.settled(1) == {number(1): "DELIVERED"}


async def test_suppressions_are_entered_together_each_with_a_result_and_listed(room):
    older = await room.suppressions.CreateSuppression(suppression(number(1), note="first"))

    answer = await room.suppressions.BatchCreateSuppressions(
        suppression_service_pb2.BatchCreateSuppressionsRequest(
            parent=PARENT,
            suppressions=[
                Suppression(address=number(1), note="second"),
                Suppression(address="no", channel_type=1),
                Suppression(address="Ann@Example.com", cause=Suppression.HARD_BOUNCE),
            ],
        )
    )

    assert answer.results[0].suppression == older
    assert to_error(answer.results[1].error).reason == "ADDRESS_INVALID"
    assert answer.results[2].suppression.address == "Ann@example.com"
    first = await room.suppressions.ListSuppressions(
        suppression_service_pb2.ListSuppressionsRequest(parent=PARENT, page_size=1)
    )
    rest = await room.suppressions.ListSuppressions(
        suppression_service_pb2.ListSuppressionsRequest(
            parent=PARENT, page_size=1, page_token=first.next_page_token
        )
    )
    found = [one.address for one in (*first.suppressions, *rest.suppressions)]
    assert found == ["Ann@example.com", number(1)]
