"""A deleted application: its events are gone from both stores, and none comes back."""

import asyncio

import pytest
from analytics import consumers, erasure
from analytics.eventstore.erasing import TABLES, erase_application
from analytics_samples import event, message_event
from analytics_store import listed, put, store_messages, stored
from heliograph import subjects
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from heliograph.messaging.v1.events_pb2 import MessageEvent
from mesh.errors import Unavailable
from mesh.eventing import jetstream, publisher
from mesh.eventing.consumer import Delivery
from mesh.store.tombstones import Tombstones
from mesh.testkit import eventually
from mesh.testkit.bus import last_published
from mesh.testkit.tenants import rows_left


async def rows(event_store, application):
    """Rows of each table of the event store."""
    counts = {}
    for table in TABLES:
        (found,) = await event_store.query(
            f"SELECT count() AS n FROM {table} WHERE application = {{application:String}}",
            {"application": application},
        )
        counts[table] = found["n"]
    return counts


async def fill(service, event_store, application):
    """Three events of each kind."""
    await put(service, application, *(event(number) for number in range(3)))
    await stored(service, application, 3)
    run = f"applications/{application}/campaigns/spring/runs/r1"
    sent = [message_event(number, MessageEvent.SENT, run) for number in range(3)]
    await store_messages(event_store, application, *sent)


async def test_everything_of_it_is_erased_and_told(service, event_store, sessions, application):
    other = f"{application}-other"
    await jetstream.ensure_streams(service.js, subjects.AUDIENCE)
    await fill(service, event_store, application)
    await fill(service, event_store, other)
    gone = Tombstones(sessions)
    erasures = erasure.erasures(sessions, service.js, gone, event_store, settle_seconds=0.1)
    working = asyncio.create_task(erasures.run())
    subject = subjects.subject(ErasureReport, application)
    async with erasures.consumer(subjects.AUDIENCE.name):
        deleted = ApplicationDeleted(
            application=application, operation=f"applications/{application}/operations/o1"
        )
        deleted.delete_time.GetCurrentTime()
        await publisher.publish(service.js, deleted, application)
        told = await eventually(
            lambda: last_published(service.js, subjects.AUDIENCE.name, subject, ErasureReport)
        )
    working.cancel()
    await asyncio.wait([working])

    assert await rows(event_store, application) == dict.fromkeys(TABLES, 0)
    assert await rows(event_store, other) == dict.fromkeys(TABLES, 3)
    assert set(await rows_left(sessions, application)) == {"tombstones"}
    assert await listed(service, application) == []
    assert (told.service, told.erased_rows["events"], told.erased_rows["message_events"]) == (
        "analytics",
        3,
        3,
    )
    assert told.erased_rows["event_name"] > 0


async def test_what_is_still_on_the_bus_is_not_stored(service, event_store, application):
    recorded = EventsRecorded(application=application, events=[event(1)])
    insertion = consumers.Insertion(
        event_store, EventsRecorded, "events_recorded", 0, {application}
    )
    delivery = Delivery(
        data=recorded.SerializeToString(),
        subject=subjects.subject(EventsRecorded, application),
        headers={},
        num_delivered=1,
        stream="EVENTS",
        sequence=1,
        receive_time=None,
    )

    await insertion.handle([delivery])

    assert (await rows(event_store, application))["events"] == 0
    assert consumers.application_of(delivery) == application


async def test_a_deletion_that_takes_too_long_is_not_called_done(service, event_store, application):
    await fill(service, event_store, application)
    noted = []

    async def note(table, count):
        noted.append((table, count))

    with pytest.raises(Unavailable):
        await erase_application(event_store, application, note, wait_seconds=0.0)
    found = await erase_application(event_store, application, note)

    assert (noted[0], found) == (("events", 3), 6)
    assert await erase_application(event_store, application, note) == 0
