"""An erased person: what they wrote is gone, and what they wished stays in force, without words."""

import asyncio
from typing import Any

import pytest
from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors import Unavailable
from mesh.eventing import jetstream, publisher
from mesh.eventing.progress import Progress
from mesh.store.orders import OrderRow
from mesh.testkit import eventually
from mesh.testkit.bus import last_published
from nats.js import JetStreamContext
from sqlalchemy import text
from sqlmodel import select
from twoway import people
from twoway.exports.erasing import ExportedLists
from twoway.tables import ReplySetRow
from twoway_room import NOON, NUMBER, SHOP, Room, sms

ANN, BEN, CY = "+12065550199", "+12065550198", "+12065550197"
TABLES = (
    "inbound_messages",
    "consent_changes",
    "opted_out_numbers",
    "opt_in_questions",
    "reply_counts",
    "reply_sets",
)


def erased(*addresses: str) -> UserErased:
    event = UserErased(
        application="shop", user_id="ann", addresses=addresses, operation=f"{SHOP}/operations/o1"
    )
    event.erase_time.GetCurrentTime()
    return event


async def reported(js: JetStreamContext) -> ErasureReport | None:
    subject = subjects.subject(ErasureReport, "shop")
    return await last_published(js, subjects.AUDIENCE.name, subject, ErasureReport)


async def found(room: Room, word: str) -> dict[str, int]:
    """Rows of each table in which a word stands anywhere but in an id."""
    counts = {}
    async with room.sessions() as session:
        connection = await session.connection()
        for table in TABLES:
            row = "(to_jsonb(t) - 'inbound_message' - 'inbound_messages' - 'request_id')::text"
            query = text(f"SELECT count(*) FROM {table} t WHERE position(:word IN {row}) > 0")
            counts[table] = (await connection.execute(query, {"word": word})).scalar_one()
    return {table: count for table, count in counts.items() if count}


async def answered(room: Room) -> None:
    """Messaging has taken every answer but one, which it refuses."""
    async with room.sessions.begin() as session:
        for row in (await session.exec(select(ReplySetRow))).all():
            await session.delete(row)
        session.add(
            ReplySetRow(
                application="shop",
                request_id="r",
                purpose="HELP_REPLY",
                reply_text="hi",
                origination_identity=NUMBER,
                addresses=[ANN, BEN],
                state="REFUSED",
                attempt_time=NOON,
                create_time=NOON,
            )
        )


async def test_texts_and_words_go_and_a_stop_stays_in_force(
    room: Room, nats: tuple[Any, JetStreamContext]
) -> None:
    js = nats[1]
    await jetstream.ensure_streams(js, subjects.AUDIENCE, subjects.INBOUND)
    await room.register()
    await room.receive(
        sms("my name is Ann", ANN, inbound_id="i1"),
        sms("STOP", ANN, inbound_id="i2", at_seconds=1),
        sms("STOP", BEN, inbound_id="i3"),
        sms("STOP", CY, inbound_id="i4"),
        sms("START", CY, inbound_id="i5", at_seconds=1),
        sms("hello", BEN, inbound_id="i6", at_seconds=2),
    )
    await answered(room)
    taking = people.orders_of(
        room.sessions, js, "nobody", ExportedLists(room.sessions), settle_seconds=0
    )
    working = asyncio.create_task(taking.run())
    async with people.consumer(js, taking):
        await publisher.publish(js, erased(ANN, CY), "shop", suffix="o1")

        async def is_told() -> bool:
            return await reported(js) is not None

        await eventually(is_told)
    working.cancel()
    await asyncio.wait([working])

    report = await reported(js)
    assert report is not None
    asked = pb.CheckConsentRequest(
        parent=SHOP, origination_identity=NUMBER, destination_addresses=[ANN, BEN, CY]
    )
    answer = await room.consent.CheckConsent(asked)
    assert set(answer.opted_out_addresses) == {ANN, BEN}
    assert await found(room, "Ann") == await found(room, CY) == {}
    assert await found(room, ANN) == dict.fromkeys(TABLES[:3], 1)
    assert await found(room, "STOP") == dict.fromkeys(TABLES[:3], 1), "Ben's words stay"
    assert {one.what: one.rows for one in report.kept if one.rows} == dict.fromkeys(TABLES[:3], 1)
    assert (report.service, report.erased_rows["reply_sets"]) == ("twoway", 1)
    await room.receive(sms("START", ANN, inbound_id="i9", at_seconds=0.5))
    answer = await room.consent.CheckConsent(asked)
    assert ANN in answer.opted_out_addresses, "an older START that comes late changes nothing"


async def test_an_answer_on_its_way_to_the_person_is_waited_for(
    room: Room, nats: tuple[Any, JetStreamContext]
) -> None:
    js = nats[1]
    await jetstream.ensure_streams(js, subjects.INBOUND)
    await room.register()
    await room.receive(sms("STOP", ANN))
    order = OrderRow(
        application="shop",
        operation="o1",
        subject=erased(ANN).SerializeToString(),
        order_time=NOON,
        hear_time=NOON,
    )
    erasing = people.PersonErasing(room.sessions, Progress(js, []), ExportedLists(room.sessions))

    with pytest.raises(Unavailable):
        await erasing.wait(order)
    await answered(room)

    assert await erasing.wait(order) == 0
