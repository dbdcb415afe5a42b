"""Which state may follow which, and what receipts do to the ledger."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from hypothesis import given
from hypothesis import strategies as st
from mesh.testkit.waiting import eventually
from messaging import receipts
from messaging.channels.inbound import Receipt
from messaging.receiving import folded
from messaging_samples import batch, endpoint, number

NONE = Reason.REASON_UNSPECIFIED
REPORTED = [Message.SENT, Message.DELIVERED, Message.FAILED]
STATES = [state for state in Message.State.values() if state]
NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("state", "reason", "reported", "follows"),
    [
        (Message.SENT, NONE, Message.DELIVERED, True),
        (Message.SENT, NONE, Message.FAILED, True),
        (Message.SENT, NONE, Message.SENT, False),
        (Message.HANDING, NONE, Message.DELIVERED, True),
        (Message.UNKNOWN, NONE, Message.SENT, True),
        (Message.UNKNOWN, NONE, Message.FAILED, True),
        (Message.DELIVERED, NONE, Message.FAILED, False),
        (Message.DELIVERED, NONE, Message.SENT, False),
        (Message.FAILED, Reason.UNDELIVERABLE, Message.DELIVERED, False),
        (Message.FAILED, Reason.OUTCOME_UNKNOWN, Message.DELIVERED, True),
        (Message.FAILED, Reason.PROVIDER_REFUSED, Message.DELIVERED, False),
        (Message.SKIPPED, Reason.OPTED_OUT, Message.DELIVERED, False),
    ],
)
def test_what_a_receipt_changes(state, reason, reported, follows):
    assert receipts.may_follow(state, reason, reported) is follows


def test_every_state_has_its_row():
    assert set(receipts.FOLLOWS) == set(STATES)


@given(st.lists(st.sampled_from(REPORTED), max_size=8), st.sampled_from(STATES))
def test_any_order_of_receipts_ends_and_stays_at_the_first_final_word(reports, state):
    reason, final = NONE, []
    for reported in reports:
        if receipts.may_follow(state, reason, reported):
            state, reason = reported, receipts.reason_for(reported)
            final += [state] if state != Message.SENT else []
    assert len(final) <= 1


@given(st.lists(st.sampled_from(REPORTED), min_size=1, max_size=6), st.randoms())
def test_receipts_that_come_together_are_one_whatever_their_order(reports, shuffler):
    batch_of_one = [Receipt("id", "+14155550123", state, NOW) for state in reports]
    shuffled = list(batch_of_one)
    shuffler.shuffle(shuffled)

    assert [one.state for one in folded(batch_of_one)] == [one.state for one in folded(shuffled)]
    assert len(folded(batch_of_one)) == 1


async def test_a_receipt_before_its_message_waits_for_it(room):
    await room.carrier.remote.behave(receipts={"share": 0.0})
    early = Receipt("1", number(1), Message.DELIVERED, NOW)
    await room.assembly.receiving.receive("shop", [early])
    assert await room.pool.fetchval("SELECT count(*) FROM parked_receipts") == 1

    await room.publish(batch([endpoint(1)]))
    row = await the_row(room, Message.SENT)
    await room.pool.execute(
        "UPDATE parked_receipts SET provider_message_id = $1", row.provider_message_id
    )

    assert await room.settled(1) == {"e1": "DELIVERED"}
    await eventually(lambda: nothing_is_parked(room))


async def nothing_is_parked(room):
    """The sweep that moved a message on may not have committed yet."""
    return await room.pool.fetchval("SELECT count(*) FROM parked_receipts") == 0


async def the_row(room, state):
    async def probe():
        rows = await room.rows()
        return rows[0] if rows and rows[0].state == state else None

    return await eventually(probe)


async def test_a_receipt_of_nobodys_message_is_tried_less_and_less_and_then_dropped(room):
    foreign = Receipt("nobody", number(1), Message.DELIVERED, NOW)
    await room.assembly.receiving.receive("shop", [foreign])
    first = await room.pool.fetchrow("SELECT park_time, try_time FROM parked_receipts")

    await room.assembly.receiving.sweep(NOW + timedelta(hours=1))
    second = await room.pool.fetchrow("SELECT park_time, try_time FROM parked_receipts")
    await room.assembly.receiving.sweep(NOW + timedelta(hours=50))

    assert first["park_time"] == second["park_time"]
    assert second["try_time"] > first["try_time"] + timedelta(minutes=5)
    assert await room.pool.fetchval("SELECT count(*) FROM parked_receipts") == 0


async def test_a_text_of_which_a_part_was_refused_is_never_taken_for_delivered(room):
    """The last part asks for the receipt, which comes before the answers to any part here."""
    await room.carrier.remote.behave(
        rules=[{"share": 0.3, "status": "ESME_RSUBMITFAIL"}],
        answer_delay_seconds=0.3,
        receipts={"delay_seconds_max": 0.02},
    )
    await room.publish(batch([endpoint(i) for i in range(100)], said="x" * 200))

    states = await room.settled(100)

    whole = {entry["destination"] for entry in await room.arrived()}
    assert 0 < len(whole) < 100
    assert {key for key, state in states.items() if state == "DELIVERED"} == {
        f"e{i}" for i in range(100) if number(i) in whole
    }
    # A receipt for a part of a text that failed has found its message, and waits for nothing.
    await eventually(lambda: nothing_is_parked(room))


async def test_a_receipt_of_another_application_changes_nothing(room):
    await room.carrier.remote.behave(receipts={"share": 0.0})
    await room.publish(batch([endpoint(1)]))
    row = await the_row(room, Message.SENT)

    stolen = Receipt(row.provider_message_id, row.address, Message.FAILED, NOW)
    await room.assembly.receiving.receive("other", [stolen])

    assert (await room.rows())[0].state == Message.SENT


async def test_receipts_in_any_order_and_number_tell_each_fact_once(room):
    await room.carrier.remote.behave(receipts={"share": 0.0})
    await room.publish(batch([endpoint(i) for i in range(30)]))
    rows = await all_sent(room, 30)
    told = [
        Receipt(row.provider_message_id, row.address, state, NOW)
        for row in rows
        for state in (Message.SENT, Message.DELIVERED, Message.DELIVERED)
    ]
    random.Random(1).shuffle(told)

    for start in range(0, len(told), 7):
        await room.assembly.receiving.receive("shop", told[start : start + 7])

    assert set((await room.settled(30)).values()) == {"DELIVERED"}
    kinds = [event.kind for event in await room.told(60)]
    assert kinds.count(MessageEvent.SENT) == kinds.count(MessageEvent.DELIVERED) == 30


async def all_sent(room, count):
    async def probe():
        rows = await room.rows()
        return (
            rows if len(rows) == count and {row.state for row in rows} == {Message.SENT} else None
        )

    return await eventually(probe)
