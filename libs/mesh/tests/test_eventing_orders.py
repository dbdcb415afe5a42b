"""An order to erase is carried out whoever dies, answered each time it is heard, then shredded."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.struct_pb2 import Struct
from mesh.errors import Unavailable
from mesh.eventing import jetstream, publisher, shredding
from mesh.eventing.consumer import Consumer
from mesh.eventing.orders import Kept, Orders
from mesh.eventing.progress import Progress
from mesh.store import engine, orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from mesh.testkit import eventually
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy import text

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDER = ("shop", "applications/shop/operations/o1", b"ann", NOW)
GO = "DELETE FROM note WHERE application = :application AND who = :who"


@pytest_asyncio.fixture
async def sessions(database: str) -> Any:
    """Sessions on a database with a table of notes, one of them about ann."""
    created = engine.create(database)
    async with created.begin() as connection:
        await connection.run_sync(orders.metadata.create_all)
        await connection.execute(text("CREATE TABLE note (application text, who text)"))
        await connection.execute(
            text("INSERT INTO note VALUES ('shop', 'ann'), ('shop', 'ben'), ('other', 'ann')")
        )
    yield engine.sessions(created)
    await created.dispose()


class Room:
    """A service with a table of notes."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.answers: list[tuple[dict[str, int], Any]] = []
        self.fails = False
        self.orders = Orders(sessions, [self.step], self.keeping, self.answer, settle_seconds=0)

    async def step(self, order: OrderRow) -> int:
        return await orders.erase(self.sessions, order, "note", GO, {"who": order.subject.decode()})

    async def keeping(self, order: OrderRow) -> list[Kept]:
        return [Kept("bus", "it forgets by itself")]

    async def answer(self, order: OrderRow, kept: list[dict[str, Any]]) -> None:
        if self.fails:
            raise ConnectionError("the bus is away")
        self.answers.append((order.erased_rows, kept[0]["what"]))

    async def left(self) -> int:
        async with self.sessions() as session:
            found = await (await session.connection()).execute(text("SELECT count(*) FROM note"))
            return int(found.scalar_one())


async def test_an_order_is_counted_answered_and_forgets_who_was_meant(sessions: Sessions) -> None:
    room = Room(sessions)
    await room.orders.take(*ORDER)

    await room.orders.step()
    await room.orders.step()
    await room.orders.take(*ORDER)
    await room.orders.step()

    async with sessions() as session:
        row = await session.get(OrderRow, ORDER[:2])
    assert row is not None
    assert (row.subject, await room.left()) == (b"", 2)
    assert room.answers == [({"note": 1}, "bus")] * 2, "whoever asks again is answered again"


async def test_an_order_waits_while_its_answer_does_not_leave(sessions: Sessions) -> None:
    room = Room(sessions)
    room.fails = True
    await room.orders.take(*ORDER)
    await room.orders.step()
    assert room.answers == []

    another = Room(sessions)
    await another.orders.step()

    assert another.answers == [({"note": 1}, "bus")], "the count is in the row, not in the process"


async def test_messages_of_a_subject_are_overwritten_and_others_stay(
    nats: tuple[Any, JetStreamContext],
) -> None:
    js = nats[1]
    await jetstream.ensure_stream(js, "FACTS", ["facts.>"])
    for subject in ("facts.a", "facts.a", "facts.b"):
        await publisher.publish(js, Struct(), "shop", subject=subject)

    assert await shredding.shred(js, "FACTS", "facts.a") == 2

    with pytest.raises(NotFoundError):
        await js.get_last_msg("FACTS", "facts.a")
    assert (await js.stream_info("FACTS")).state.messages == 1
    assert await shredding.shred(js, "FACTS", "facts.a") == 0


async def test_a_stream_is_read_once_its_consumer_has_dealt_with_what_was_there(
    nats: tuple[Any, JetStreamContext],
) -> None:
    js = nats[1]
    await jetstream.ensure_stream(js, "FACTS", ["facts.>"])
    progress = Progress(js, [("FACTS", "reader")])
    await progress.reached("empty")
    await publisher.publish(js, Struct(), "shop", subject="facts.a")
    free = asyncio.Event()

    async def handle(_: Any) -> None:
        await free.wait()

    with pytest.raises(Unavailable):
        await progress.reached("o1")
    async with Consumer(js, "FACTS", "reader", "facts.>", handle):
        with pytest.raises(Unavailable):
            await progress.reached("o1")
        free.set()

        async def is_reached() -> bool:
            try:
                await progress.reached("o1")
            except Unavailable:
                return False
            return True

        await eventually(is_reached)
