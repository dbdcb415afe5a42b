"""Batches through the whole pipeline, to a real carrier and back."""

import asyncio
from collections import Counter
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1 import suppression_service_pb2
from heliograph.messaging.v1.content_pb2 import MessageContent, Purpose
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.suppression_pb2 import Suppression
from localmesh.peers.running import PeerProcess
from mesh.embedded.ports import free_port
from mesh.testkit.waiting import eventually
from messaging.render import timestamp
from messaging_room import CarrierAccount
from messaging_samples import PARENT, START, batch, content, endpoint, number


def once_each(arrived):
    """The phones a message has arrived at; fails when one got two."""
    counts = Counter(entry["destination"] for entry in arrived)
    assert max(counts.values(), default=1) == 1, counts.most_common(3)
    return set(counts)


async def test_a_batch_reaches_every_phone_and_comes_back_delivered(room):
    await room.publish(batch([endpoint(i) for i in range(500)]))

    states = await room.settled(500)

    assert Counter(states.values()) == {"DELIVERED": 500}
    arrived = await room.arrived()
    assert once_each(arrived) == {number(i) for i in range(500)}
    assert {entry["text"] for entry in arrived} == {f"Hello Ann{i}" for i in range(500)}


async def test_who_refuses_the_topic_gets_nothing_and_the_others_do(room):
    members = [endpoint(0, refused_topics=["sale"]), endpoint(1, refused_topics=["Sale"])]

    await room.publish(batch([*members, endpoint(2)], topic="sale"))

    assert await room.settled(3) == {"e0": "TOPIC_REFUSED", "e1": "DELIVERED", "e2": "DELIVERED"}


async def test_every_member_that_gets_nothing_has_its_reason(room):
    await room.suppressions.CreateSuppression(
        suppression_service_pb2.CreateSuppressionRequest(
            parent=PARENT, suppression=Suppression(address=number(7), channel_type=ChannelType.SMS)
        )
    )
    room.opt_outs.numbers.add(number(8))
    sent = batch(
        [
            endpoint(0),
            endpoint(1, status=Endpoint.INACTIVE),
            endpoint(2, opt_out=Endpoint.ALL),
            endpoint(3),
            endpoint(4, address="12"),
            endpoint(5, channel_type=ChannelType.EMAIL, address="a@example.com"),
            endpoint(6, address=number(0)),
            endpoint(7),
            endpoint(8),
            endpoint(9),
        ]
    )
    sent.recipients[3].endpoint.address = ""
    sent.recipients[9].skip_reason = Reason.HOLDOUT

    await room.publish(sent)

    assert await room.settled(10) == {
        "e0": "DELIVERED",
        "e1": "ENDPOINT_INACTIVE",
        "e2": "ENDPOINT_OPTED_OUT",
        "e3": "MISSING_ADDRESS",
        "e4": "INVALID_ADDRESS",
        "e5": "CHANNEL_MISMATCH",
        "e6": "DUPLICATE_ADDRESS",
        "e7": "SUPPRESSED",
        "e8": "OPTED_OUT",
        "e9": "HOLDOUT",
    }
    assert once_each(await room.arrived()) == {number(0)}


async def test_a_message_without_a_value_is_skipped_only_if_asked_for(room):
    strict = content("Hi {{Attributes.color}}")
    strict.missing_variable = MessageContent.FAIL
    sent = batch([endpoint(0), endpoint(1)])
    sent.treatments.add(content=strict)
    sent.recipients[1].treatment_index = 1

    await room.publish(sent)

    await room.settled(2)
    rows = {row.endpoint_id: row for row in await room.rows()}
    assert rows["e1"].reason == Reason.RENDERING_FAILED
    assert rows["e1"].detail == "no value for Attributes.color"


async def test_a_channel_that_is_not_configured_is_a_reason(make_room):
    room = await make_room()

    await room.publish(batch([endpoint(0)]))

    assert await room.settled(1) == {"e0": "CHANNEL_NOT_CONFIGURED"}


async def test_an_expired_batch_sends_nothing(room):
    over = timestamp(START - timedelta(minutes=1))

    await room.publish(batch([endpoint(0)], expire_time=over))

    assert await room.settled(1) == {"e0": "EXPIRED"}
    assert await room.arrived() == []


async def test_a_batch_that_is_delivered_again_sends_nothing_twice(room):
    sent = batch([endpoint(i) for i in range(300)])

    await asyncio.gather(*(room.publish(sent, msg_id=f"copy-{copy}") for copy in range(4)))

    await room.settled(300)
    await asyncio.gather(*(room.publish(sent, msg_id=f"late-{copy}") for copy in range(2)))
    await room.drained()
    assert len(once_each(await room.arrived())) == 300


async def test_overlapping_batches_send_to_each_member_once(room):
    for lot, start in enumerate(range(0, 400, 50)):
        members = [endpoint(i) for i in range(start, start + 100)]
        await room.publish(batch(members, f"page-{lot}"))

    states = await room.settled(450)

    assert Counter(states.values()) == {"DELIVERED": 450}
    assert len(once_each(await room.arrived())) == 450


async def test_without_an_answer_about_consent_nothing_is_sent_and_later_everything(room):
    room.opt_outs.away = True
    await room.publish(batch([endpoint(i) for i in range(50)]))
    await eventually(lambda: all_accepted(room, 50))
    assert await room.arrived() == []

    room.opt_outs.away = False

    assert Counter((await room.settled(50)).values()) == {"DELIVERED": 50}
    assert len(once_each(await room.arrived())) == 50


async def all_accepted(room, count):
    """Whether all are back where they were before they were marked."""
    return list((await room.states()).values()) == ["ACCEPTED"] * count


async def test_a_throttling_carrier_costs_no_message(room):
    await room.carrier.remote.behave(submits_per_second_max=300)

    await room.publish(batch([endpoint(i) for i in range(600)]))

    assert Counter((await room.settled(600)).values()) == {"DELIVERED": 600}
    assert len(once_each(await room.arrived())) == 600


async def test_a_carrier_that_is_away_is_waited_for(make_room, tmp_path):
    room = await make_room()
    async with PeerProcess("carrier", tmp_path, port=free_port()) as away:
        room.carrier = await CarrierAccount.open(away, "traveller")
        await room.open_channel()
    found = room.assembly.connections.get("shop", ChannelType.SMS)
    await eventually(lambda: not found.driver.ready)
    await room.publish(batch([endpoint(i) for i in range(20)]))

    async with PeerProcess("carrier", tmp_path, port=room.carrier.port) as back:
        room.carrier = await CarrierAccount.open(back, "traveller")
        states = await room.settled(20)
        arrived = await room.arrived()

    assert Counter(states.values()) == {"DELIVERED": 20}
    assert len(once_each(arrived)) == 20


async def test_what_the_carrier_refuses_or_cannot_deliver_has_its_words(room):
    await room.carrier.remote.behave(
        rules=[
            {"destination": number(1).lstrip("+"), "status": "ESME_RINVDSTADR"},
            {"destination": number(2).lstrip("+"), "state": "UNDELIVERABLE", "error": "005"},
        ]
    )

    await room.publish(batch([endpoint(i) for i in range(3)]))

    states = await room.settled(3)
    assert states["e0"] == "DELIVERED"
    assert states["e1"] in ("INVALID_ADDRESS", "PROVIDER_REFUSED")
    assert states["e2"] == "UNDELIVERABLE"
    details = {row.endpoint_id: row.detail for row in await room.rows()}
    assert "RINVDSTADR" in details["e1"]
    assert details["e2"] == "UNDELIVERABLE 005"


async def test_receipts_that_come_twice_early_and_late_are_one_end(room):
    await room.carrier.remote.behave(
        receipts={"twice_share": 0.5, "early_share": 0.3, "late_share": 0.2, "late_seconds": 0.5}
    )

    await room.publish(batch([endpoint(i) for i in range(300)]))

    assert Counter((await room.settled(300)).values()) == {"DELIVERED": 300}
    kinds = Counter(MessageEvent.Kind.Name(event.kind) for event in await room.told(600))
    assert kinds == {"SENT": 300, "DELIVERED": 300}


async def test_every_end_is_announced_with_what_analytics_needs(room):
    room.opt_outs.numbers.add(number(1))
    sent = batch([endpoint(i) for i in range(3)])
    sent.recipients[0].context["order"] = "7"
    sent.recipients[2].skip_reason = Reason.HOLDOUT

    await room.publish(sent)

    await room.settled(3)
    events = {(event.user_id, event.kind): event for event in await room.told(4)}
    assert set(events) == {
        ("u0", MessageEvent.SENT),
        ("u0", MessageEvent.DELIVERED),
        ("u1", MessageEvent.SKIPPED),
        ("u2", MessageEvent.SKIPPED),
    }
    delivered = events["u0", MessageEvent.DELIVERED]
    assert delivered.endpoint == f"{PARENT}/endpoints/e0"
    assert delivered.run == sent.run
    assert delivered.treatment == "A"
    assert delivered.country == "US"
    assert delivered.parts == 1
    assert dict(delivered.context) == {"order": "7"}
    assert events["u1", MessageEvent.SKIPPED].reason == Reason.OPTED_OUT
    assert events["u2", MessageEvent.SKIPPED].reason == Reason.HOLDOUT


async def test_a_long_text_goes_out_in_parts_and_counts_them(room):
    await room.publish(batch([endpoint(0)], said="long " * 100))

    await room.settled(1)

    [row] = await room.rows()
    assert row.parts == 4
    assert [entry["text"] for entry in await room.arrived()] == ["long " * 100]


async def lose_links(room):
    """From now on the carrier takes messages, and the line breaks before it answers."""
    await room.carrier.remote.behave(
        link_lost_share=1.0, receipts={"share": 1.0, "delay_seconds_min": 0.3}
    )


async def test_an_unknown_outcome_is_settled_by_the_receipt(room):
    await lose_links(room)

    await room.publish(batch([endpoint(0)]))

    assert await room.settled(1) == {"e0": "DELIVERED"}
    kinds = {event.kind for event in await room.told(2)}
    assert kinds == {MessageEvent.SENT, MessageEvent.DELIVERED}


async def test_without_a_receipt_a_promotional_message_is_given_up(make_room):
    room = await make_room()
    await room.open_channel(settle_window=Duration(nanos=300_000_000))
    await room.carrier.remote.behave(link_lost_share=1.0, receipts={"share": 0.0})

    await room.publish(batch([endpoint(0)]))

    assert await room.settled(1) == {"e0": "OUTCOME_UNKNOWN"}
    assert len(await room.arrived()) == 1


async def test_without_a_receipt_a_transactional_message_is_sent_again(make_room):
    room = await make_room()
    # Long enough for the carrier to behave again before the message comes once more.
    await room.open_channel(settle_window=Duration(seconds=3))
    await room.carrier.remote.behave(link_lost_share=1.0, receipts={"share": 0.0})
    await room.publish(batch([endpoint(0)], purpose=Purpose.TRANSACTIONAL))
    await eventually(lambda: room.arrived())

    await room.carrier.remote.behave(link_lost_share=0.0, receipts={"share": 1.0})

    assert await room.settled(1) == {"e0": "DELIVERED"}
    assert len(await room.arrived()) == 2
