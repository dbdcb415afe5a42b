"""The moments at which a worker may die, as far as anybody outside can tell them apart."""

import asyncpg
from heliograph import subjects
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.testkit.waiting import eventually
from messaging_crashes import CLAIMING, RECORDING, Doom, Gate
from messaging_room import Room

ENQUIRE_LINK_BYTES = 16


async def lists_unread(doom: Doom, sent: SendBatch) -> None:
    """Nothing has been asked of the application's lists, and nothing claimed."""
    connection = await asyncpg.connect(doom.room.database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE suppressions IN ACCESS EXCLUSIVE MODE")
            await doom.begin(sent)
            await Gate(connection).reached()
            await doom.kill()
            await Gate(connection).undo()
    finally:
        await connection.close()


async def claim_undone(doom: Doom, sent: SendBatch) -> None:
    """The claim was under way, and has not happened."""
    async with doom.gate(CLAIMING) as gate:
        await doom.begin(sent)
        await gate.reached()
        await doom.kill()
        await gate.undo()


async def claim_unheard(doom: Doom, sent: SendBatch) -> None:
    """The claim is committed, which the worker did not live to hear."""
    async with doom.gate(CLAIMING) as gate:
        await doom.begin(sent)
        await gate.reached()
        await doom.kill()


async def consent_unknown(doom: Doom, sent: SendBatch) -> None:
    """Rows are `HANDING`, and twoway has not answered."""
    doom.twoway_link.answers.hold()
    await doom.begin(sent)
    await eventually(lambda: _rows_are(doom.room, Message.HANDING, 1))
    await eventually(lambda: doom.twoway_link.answers.held_bytes)
    await doom.kill()


async def messages_unsent(doom: Doom, sent: SendBatch) -> None:
    """The worker has begun to write to the carrier, and nothing of it arrives."""
    async with doom.gate(CLAIMING) as gate:
        await doom.begin(sent)
        await gate.reached()
        doom.carrier_link.requests.hold()
        await gate.open()
        await eventually(lambda: doom.carrier_link.requests.held_bytes > ENQUIRE_LINK_BYTES)
        await doom.kill()


async def messages_unanswered(doom: Doom, sent: SendBatch) -> None:
    """The carrier has taken the chunk, and none of its answers arrives."""
    await doom.room.carrier.remote.behave(unanswered_share=1.0)
    await doom.begin(sent)

    async def taken() -> bool:
        return len(await doom.room.arrived()) >= min(19, len(sent.recipients))

    await eventually(taken)
    await doom.kill()
    await doom.room.carrier.remote.behave(unanswered_share=0.0)


async def record_undone(doom: Doom, sent: SendBatch) -> None:
    """The outcomes are known, and their record has not happened."""
    async with doom.gate(RECORDING) as gate:
        await doom.begin(sent)
        await gate.reached()
        await doom.kill()
        await gate.undo()


async def record_unheard(doom: Doom, sent: SendBatch) -> None:
    """The record is committed, and nothing of it announced."""
    async with doom.gate(RECORDING) as gate:
        await doom.begin(sent)
        await gate.reached()
        await doom.kill()


async def sent_unheard(doom: Doom, sent: SendBatch) -> None:
    """The bus has what was sent, which the worker did not live to hear."""
    await _announced_unheard(doom, sent, RECORDING)


async def skips_unheard(doom: Doom, sent: SendBatch) -> None:
    """The bus has what was skipped, which the worker did not live to hear."""
    await _announced_unheard(doom, sent, CLAIMING)


async def _announced_unheard(doom: Doom, sent: SendBatch, before: str) -> None:
    """The first events after a write are on the bus, whose answer does not arrive."""
    stream = subjects.MESSAGES.name
    async with doom.gate(before) as gate:
        await doom.begin(sent)
        await gate.reached()
        doom.bus_link.answers.hold()
        begun = (await doom.room.js.stream_info(stream)).state.messages
        await gate.open()

        async def announced() -> bool:
            return (await doom.room.js.stream_info(stream)).state.messages > begun

        await eventually(announced)
        await doom.kill()


async def _rows_are(room: Room, state: int, count: int) -> bool:
    """Whether at least so many messages are in this state."""
    return len([row for row in await room.rows() if row.state == state]) >= count
