"""Texts that people write: announced once, with an id that survives repetitions."""

from datetime import UTC, datetime, timedelta

import pytest
from heliograph import subjects
from heliograph.messaging.v1.events_pb2 import InboundSmsReceived
from mesh.testkit.bus import published
from mesh.testkit.waiting import eventually
from messaging.channels.inbound import InboundText
from messaging.inbound import SAME_ID_WITHIN, SAME_TEXT_WITHIN
from messaging_samples import number

NOW = datetime.now(UTC)


def text(said="STOP", at=NOW, provider_id="", source=number(1)):
    return InboundText(source, "+12065550100", said, at, provider_id)


async def announced(room):
    """The texts on the bus, in their order."""
    everyones = subjects.subject(InboundSmsReceived, "*")
    told = await published(room.js, subjects.INBOUND.name, everyones, InboundSmsReceived)
    return [text for one in told for text in one.messages]


async def test_what_a_phone_says_is_on_the_bus_before_the_carrier_is_answered(room):
    await room.carrier.remote.call(
        "POST",
        "/inbound",
        {
            "messages": [
                {"source": number(i), "destination": "+12065550100", "text": f"hello {i} ünïcode"}
                for i in range(20)
            ]
        },
    )

    async def twenty():
        return len(await announced(room)) == 20

    await eventually(twenty)
    found = await announced(room)
    assert {one.source_address: one.text for one in found} == {
        number(i): f"hello {i} ünïcode" for i in range(20)
    }
    assert {one.connection for one in found} == {"applications/shop/channels/sms"}
    assert {one.destination_address for one in found} == {"+12065550100"}
    assert len({one.inbound_id for one in found}) == 20


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (text(provider_id="7"), text(provider_id="7", at=NOW + timedelta(hours=3)), True),
        (text(provider_id="7"), text(provider_id="7", at=NOW + timedelta(days=3)), False),
        (text(provider_id="7"), text(provider_id="8"), False),
        (text(), text(at=NOW + timedelta(seconds=5)), True),
        (text(), text(at=NOW + SAME_TEXT_WITHIN), True),
        (text(), text(at=NOW + SAME_TEXT_WITHIN + timedelta(microseconds=1)), False),
        (text(provider_id="7"), text(provider_id="7", at=NOW + SAME_ID_WITHIN), True),
        (text(), text("START"), False),
        (text(), text(source=number(2)), False),
    ],
)
async def test_a_repetition_has_the_id_of_what_it_repeats(room, first, second, same):
    inbound = room.assembly.inbound

    await inbound.receive("shop", "c", [first])
    await inbound.receive("shop", "c", [second])

    ids = [one.inbound_id for one in await announced(room)]
    assert (len(set(ids)) == 1) is same


async def test_two_applications_have_two_texts(room):
    await room.assembly.inbound.receive("shop", "c", [text()])
    await room.assembly.inbound.receive("store", "c", [text()])

    assert len({one.inbound_id for one in await announced(room)}) == 2
