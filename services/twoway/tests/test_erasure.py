"""A deleted application: numbers, texts and opt-outs go, and no text brings anything back."""

import asyncio
from typing import Any

from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from mesh.eventing import jetstream, publisher
from mesh.store.tombstones import Tombstones
from mesh.testkit import eventually
from mesh.testkit.bus import last_published
from mesh.testkit.tenants import rows_left
from nats.js import JetStreamContext
from twoway import erasure
from twoway.inbound.receiving import Receiver
from twoway_pools import ACME, add, create_pool, sender_id
from twoway_room import Room, delivery, sms

OPERATION = "applications/shop/operations/o1"


async def delete(js: JetStreamContext) -> None:
    event = ApplicationDeleted(application="shop", operation=OPERATION)
    event.delete_time.GetCurrentTime()
    await publisher.publish(js, event, "shop")


async def reported(js: JetStreamContext) -> ErasureReport | None:
    subject = subjects.subject(ErasureReport, "shop")
    return await last_published(js, subjects.AUDIENCE.name, subject, ErasureReport)


async def test_everything_of_it_is_erased_and_told(
    room: Room, nats: tuple[Any, JetStreamContext]
) -> None:
    js = nats[1]
    await jetstream.ensure_streams(js, subjects.AUDIENCE, subjects.TWOWAY)
    await room.register()
    await sender_id(room)
    await add(room, ACME, (await create_pool(room)).name)
    await room.receive(sms("STOP"), sms("hello", source="+12065550198"))
    await room.receive(sms("STOP"), application="other")
    before = await rows_left(room.sessions, "shop")
    gone = Tombstones(room.sessions)
    erasures = erasure.erasures(room.sessions, js, gone, settle_seconds=0.1)
    working = asyncio.create_task(erasures.run())
    async with erasures.consumer(subjects.AUDIENCE.name):
        await delete(js)

        async def is_told() -> bool:
            return await reported(js) is not None

        await eventually(is_told)
    working.cancel()
    await asyncio.wait([working])
    await Receiver(room.asking, room.linking, gone).handle(
        [delivery([sms("START")]), delivery([sms("START")], "other")]
    )

    told = await reported(js)
    assert told is not None
    assert before.keys() >= {
        "phone_numbers",
        "opted_out_numbers",
        "consent_changes",
        "inbound_messages",
        "conversations",
        "reply_sets",
        "pools",
        "sender_ids",
        "pool_sender_ids",
    }
    assert set(await rows_left(room.sessions, "shop")) == {"tombstones"}
    assert {table: rows for table, rows in told.erased_rows.items() if rows} == before
    assert (await rows_left(room.sessions, "other"))["inbound_messages"] == 2
