"""A process that dies between the parts of long texts: each text is told whole, and once."""

import asyncio
import signal
from datetime import UTC, datetime

import pytest
from heliograph import subjects
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1 import channel_service_pb2
from heliograph.messaging.v1.events_pb2 import InboundSmsReceived
from mesh.smpp import Outcome
from mesh.testkit.bus import published
from mesh.testkit.waiting import eventually
from messaging.long_texts import folding
from messaging.long_texts.long_texts import LongTexts
from messaging_carrier import Carrier, parts
from messaging_crashes import gate_at, started
from messaging_samples import PARENT

ANN, BEN = "491700000001", "491700000002"
OF_ANN, OF_BEN = "ab" * 150, "жы" * 80

MOMENTS = {
    "not stored": "BEFORE UPDATE ON long_texts FOR EACH ROW",
    "announced, which no row says": (
        "BEFORE UPDATE ON long_texts FOR EACH ROW WHEN (NEW.announced)"
    ),
}


@pytest.fixture
async def carrier():
    carrier = Carrier()
    async with carrier.smsc:
        carrier.port = await carrier.smsc.start()
        yield carrier


async def bound(carrier, count=1):
    await eventually(lambda: len(carrier.smsc.sessions) == count)


async def announced(room):
    """What was told, by the id of the text."""
    everyones = subjects.subject(InboundSmsReceived, "*")
    found = await published(room.js, subjects.INBOUND.name, everyones, InboundSmsReceived)
    return {one.inbound_id: (one.text, one.incomplete) for told in found for one in told.messages}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_parts_survive_the_death_of_whoever_took_them(make_room, tmp_path, carrier, moment):
    room = await make_room(at_work=False)
    channel = carrier.channel()
    channel.channel_type, channel.enabled = ChannelType.SMS, True
    await room.channels.CreateChannel(
        channel_service_pb2.CreateChannelRequest(parent=PARENT, channel_id="sms", channel=channel)
    )
    await room.assembly.connections.close()
    of_ann, (first, *rest) = parts(OF_ANN, source=ANN), parts(OF_BEN, source=BEN)
    process = await started(room, tmp_path / "ports.json")
    await bound(carrier)

    assert await carrier.deliver(of_ann[0], first) == [0, 0]
    async with gate_at(room.database_url, MOMENTS[moment]) as gate:
        lost = asyncio.create_task(carrier.exchange(*rest))
        await gate.reached()
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await gate.undo()
    answers = await lost
    assert answers[-1].outcome is Outcome.UNKNOWN
    # The process may have taken them one by one.
    taken = sum(answer.outcome is Outcome.ACCEPTED for answer in answers)
    again = [*rest[taken:], *of_ann[1:]]
    await bound(carrier, 0)
    async with room.another_process() as replica:
        await bound(carrier)
        assert await carrier.deliver(*again) == [0] * len(again)
        later = datetime.now(UTC) + folding.PARTS_WITHIN
        await LongTexts(room.pool, replica.inbound).sweep(later)

    told = sorted((await announced(room)).values())
    assert told == sorted([(OF_ANN, False), (OF_BEN, False)])
