"""An erased person: the ledger counts on without them, and what was on its way is not sent."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from heliograph import subjects
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.messaging.v1 import suppression_service_pb2
from heliograph.messaging.v1.events_pb2 import InboundSmsReceived
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from heliograph.messaging.v1.suppression_pb2 import Suppression
from mesh.errors import Unavailable
from mesh.eventing import publisher
from mesh.sms import segment
from mesh.store import engine, orders
from mesh.testkit.bus import published
from mesh.testkit.waiting import eventually
from messaging.channels.inbound import InboundPart
from messaging.long_texts.long_texts import LongTexts
from messaging.people.erasure import PersonErasing
from messaging.render import timestamp
from messaging_samples import APPLICATION, PARENT, batch, endpoint, number, send_request

OPERATION = f"{PARENT}/operations/o1"


def erased(*indexes, at=None):
    event = UserErased(
        application=APPLICATION,
        user_id=f"u{indexes[0]}",
        endpoints=[f"{PARENT}/endpoints/e{index}" for index in indexes],
        addresses=[number(index) for index in indexes],
        operation=OPERATION,
    )
    event.erase_time.FromDatetime(at or datetime.now(UTC))
    return event


async def erase(js, *indexes, **fields):
    await publisher.publish(js, erased(*indexes, **fields), APPLICATION, suffix="o1")


async def who(room):
    """Everything in the ledger that tells who somebody is, by message state."""
    rows = await room.rows()
    sent = {Message.DELIVERED: "SENT", Message.SENT: "SENT"}  # by now, or not yet
    found = [
        (
            sent.get(row.state) or Message.State.Name(row.state),
            *(row.endpoint_id, row.user_id, row.address, row.context),
        )
        for row in rows
    ]
    return sorted(found, key=str)


def nobody(state="SENT"):
    return (state, "", "", "", None)


def somebody(index, state="SENT"):
    return (state, f"e{index}", f"u{index}", number(index), None)


async def suppress(room, index, cause):
    await room.suppressions.CreateSuppression(
        suppression_service_pb2.CreateSuppressionRequest(
            parent=PARENT,
            suppression=Suppression(address=number(index), channel_type=ChannelType.SMS, note="hm"),
        )
    )
    await room.pool.execute(
        "UPDATE suppressions SET cause = $1 WHERE address = $2", cause, number(index)
    )


async def test_the_ledger_counts_on_and_knows_nobody(room):
    await suppress(room, 1, Suppression.HARD_BOUNCE)
    await suppress(room, 2, Suppression.COMPLAINT)
    first = batch([endpoint(0), endpoint(1), endpoint(2), endpoint(3)])
    first.recipients[0].context["order"] = "secret"
    await room.publish(first)
    await room.settled(4)

    await erase(room.js, 0, 1, 2)
    report = await room.erasure_report()
    # What comes once more, and what was made of the person before, finds who was erased.
    await room.publish(first, msg_id="again")
    other = f"{PARENT}/campaigns/x/runs/y"
    await room.publish(batch([endpoint(1), endpoint(4)], "b2", run=other, source=other))
    await room.settled(6)

    expected = [somebody(3), somebody(4), nobody(), *[nobody("SKIPPED")] * 3]
    assert await who(room) == sorted(expected, key=str)
    assert len(await room.arrived()) == 3
    left = await room.pool.fetch("SELECT address, note FROM suppressions")
    assert [tuple(row) for row in left] == [("", "")]
    assert (report.erased_rows["messages"], report.erased_rows["suppressions"]) == (3, 2)
    assert {one.what: one.rows for one in report.kept}["suppressions"] == 1
    # Of who is sent to, two things are told, and one of who is not.
    told = [one for one in await room.told(3 * 2 + 3) if one.run == other]
    assert {(one.endpoint, one.address) for one in told} == {
        ("", ""),
        (f"{PARENT}/endpoints/e4", number(4)),
    }


async def test_what_waits_for_its_provider_is_not_sent_when_it_is_back(make_room):
    room = await make_room(at_work=False)
    await room.create_channel()
    await room.messages.SendMessages(send_request(number(1), number(2)))
    await room.publish(batch([endpoint(1), endpoint(3)]))
    await erase(room.js, 1)

    async with AsyncExitStack() as stack:
        await room.assembly.start(stack)
        await room.erasure_report()
        await room.settled(4)
        arrived = sorted(one["destination"] for one in await room.arrived())
        found = await who(room)

    assert [one.removeprefix("+") for one in arrived] == [
        number(2).removeprefix("+"),
        number(3).removeprefix("+"),
    ]
    assert [one for one in found if one[0] == "SKIPPED"] == [nobody("SKIPPED")] * 2


async def test_who_waits_for_the_end_of_quiet_time_waits_no_more(room):
    now = datetime.now(UTC)
    start, end = (now + timedelta(hours=hours) for hours in (-2, 2))
    quiet = SendBatch.QuietTime(start=f"{start:%H:%M}", end=f"{end:%H:%M}", hold=True)
    members = [endpoint(i, demographic={"timezone": "UTC"}) for i in range(2)]
    await room.publish(batch(members, quiet_time=quiet))

    async def held():
        payload = await room.pool.fetchval("SELECT payload FROM held_batches")
        assert payload is not None
        return [one.endpoint.address for one in SendBatch.FromString(payload).recipients]

    assert await eventually(held) == [number(0), number(1)]

    await erase(room.js, 0)
    report = await room.erasure_report()

    assert await held() == [number(1)]
    assert await who(room) == [somebody(1, "ACCEPTED"), nobody("SKIPPED")]
    assert report.erased_rows["messages"] == 1


async def test_who_came_again_is_written_to(room):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await erase(room.js, 0, at=yesterday)
    await room.erasure_report()

    back = endpoint(0, create_time=timestamp(yesterday + timedelta(hours=1)))
    await room.publish(batch([back]))
    await room.settled(1)
    await room.messages.SendMessages(send_request(number(0)))
    await room.settled(2)

    assert len(await room.arrived()) == 2


async def test_what_is_being_handed_over_is_waited_for(room):
    await room.publish(batch([endpoint(0)]))
    await room.settled(1)
    await room.drained()
    await room.pool.execute("UPDATE messages SET state = $1", Message.HANDING)
    database = engine.create(room.database_url)
    sessions = engine.sessions(database)
    now = datetime.now(UTC)
    row = orders.OrderRow(
        application=APPLICATION,
        operation=OPERATION,
        subject=erased(0).SerializeToString(),
        order_time=now,
        hear_time=now,
    )
    erasing = PersonErasing(sessions, room.js, room.assembly.pool)

    with pytest.raises(Unavailable):
        await erasing.stop(row)
    await room.pool.execute("UPDATE messages SET state = $1", Message.UNKNOWN)
    stopped = await erasing.stop(row)
    await erasing.erase(row)
    await database.dispose()

    assert (stopped, await who(room)) == (1, [nobody("FAILED")])


def parts(index, words, reference=9, prefix="+"):
    source = number(index).replace("+", prefix)
    cut = segment(words)
    return [
        InboundPart(
            *(source, "+12065550100", reference, len(cut.parts), sequence),
            octets,
            cut.encoding.data_coding,
            datetime.now(UTC),
        )
        for sequence, octets in enumerate(cut.parts, start=1)
    ]


async def test_parts_of_texts_that_are_not_whole_are_forgotten_and_told_ones_not_told_again(room):
    texts = LongTexts(room.pool, room.assembly.inbound)
    whole = parts(0, "a" * 200)
    begun = [parts(0, "b" * 200, 8, prefix)[0] for prefix in ("+", "00", "")]
    await receive(texts, *whole, *begun, parts(1, "c" * 200)[0])

    await erase(room.js, 0)
    report = await room.erasure_report()

    left = await room.pool.fetch("SELECT source_address, announced FROM long_texts ORDER BY 1")
    assert [tuple(row) for row in left] == [("", True), (number(1), False)]
    assert report.erased_rows["long_texts"] == 4
    assert "long_texts" in {one.what for one in report.kept}
    # The carrier repeats a part, and the phone has come round to the reference again.
    await receive(texts, whole[1])
    await receive(texts, *parts(0, "d" * 200))
    everyones = subjects.subject(InboundSmsReceived, "*")
    told = await published(room.js, subjects.INBOUND.name, everyones, InboundSmsReceived)
    assert [(text.source_address, text.text) for one in told for text in one.messages] == [
        (number(0), "a" * 200),
        (number(0), "d" * 200),
    ]


async def receive(texts, *arrived):
    await texts.receive(APPLICATION, f"{PARENT}/channels/sms", arrived, datetime.now(UTC))
