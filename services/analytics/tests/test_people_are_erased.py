"""Erased people: their events are gone from both tables and the disk, and nobody else's are."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from analytics import people
from analytics.event_servicer import EventServicer
from analytics.eventstore.erasing_people import refuse_old_parts
from analytics_samples import event, message_event
from analytics_store import listed, put, store_messages, stored
from google.longrunning import operations_pb2, operations_pb2_grpc
from heliograph import subjects
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_service_pb2_grpc import EventServiceStub
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.messaging.v1.events_pb2 import MessageEvent
from mesh.aip.operations_servicer import OperationsServicer
from mesh.errors import InvalidArgument, Unavailable
from mesh.eventing import jetstream, publisher
from mesh.testkit import eventually
from mesh.testkit.bus import last_published


def now():
    return datetime.now(UTC)


@pytest.fixture
async def erasing(service, sessions, event_store, rpc_serve, rpc_connect):
    """The orders of analytics at work, with a door for them."""
    await jetstream.ensure_streams(service.js, subjects.AUDIENCE)
    taking = people.orders_of(sessions, service.js, event_store, waits_for_disk=False)
    address = await rpc_serve(
        {
            "heliograph.analytics.v1.EventService": EventServicer(
                sessions, event_store, None, now, taking.wake
            ),
            "google.longrunning.Operations": OperationsServicer(sessions),
        }
    )
    working = asyncio.create_task(taking.run())
    async with people.consumer(service.js, taking):
        yield rpc_connect(address)
    working.cancel()
    await asyncio.wait([working])


async def ended(channel, operation):
    asked = operations_pb2.WaitOperationRequest(name=operation.name, timeout={"seconds": 20})

    async def has_ended():
        found = await operations_pb2_grpc.OperationsStub(channel).WaitOperation(asked)
        return found if found.done else None

    response = pb.EraseEventsResponse()
    assert (await eventually(has_ended)).response.Unpack(response)
    return response


async def of_messages(event_store, application):
    found = await event_store.query(
        "SELECT user_id FROM message_events WHERE application = {application:String}",
        {"application": application},
    )
    return sorted(row["user_id"] for row in found)


def of(number, user="", endpoint=""):
    made = event(number)
    made.user_id, made.endpoint_id = user, endpoint
    return made


async def test_events_of_users_and_endpoints_go_and_are_counted_once(
    service, event_store, application, erasing
):
    await put(service, application, of(0, "ann", "e1"), of(1, "", "e1"), of(2, "ben", "e2"))
    await put(service, application, of(3), of(4, "cy", "e3"))
    await stored(service, application, 5)
    run = f"applications/{application}/campaigns/c/runs/r"
    mine, other = message_event(0, MessageEvent.SENT, run), message_event(1, MessageEvent.SENT, run)
    mine.user_id, other.user_id, other.endpoint = "ann", "ben", ""
    await store_messages(event_store, application, mine, other)
    request = pb.EraseEventsRequest(
        parent=f"applications/{application}",
        user_ids=["ann"],
        endpoint_ids=["e1", "e3"],
        request_id="r1",
    )
    events = EventServiceStub(erasing)

    first = await ended(erasing, await events.EraseEvents(request))
    again = await ended(erasing, await events.EraseEvents(request))

    left = await listed(service, application)
    assert sorted(one.user_id for one in left if one.event_type != "_message.sent") == ["", "ben"]
    assert await of_messages(event_store, application) == ["ben"]
    assert (first.event_count, first) == (4, again)
    assert first.HasField("erase_time")


async def test_an_erasure_of_nobody_is_refused(application, erasing):
    for request in ({}, {"user_ids": [""]}):
        with pytest.raises(InvalidArgument) as refusal:
            await EventServiceStub(erasing).EraseEvents(
                pb.EraseEventsRequest(parent=f"applications/{application}", **request)
            )
        assert refusal.value.reason == "NOBODY_NAMED"


async def test_audience_is_obeyed_once_messaging_has_erased_the_person(
    service, application, erasing
):
    await put(service, application, of(0, "ann", "e1"), of(1, "ben", "e2"))
    told = UserErased(
        application=application,
        user_id="ann",
        endpoints=[f"applications/{application}/endpoints/e1"],
        operation=f"applications/{application}/operations/o1",
    )
    told.erase_time.GetCurrentTime()
    await publisher.publish(service.js, told, application, suffix="o1")
    await put(service, application, of(2, "ann", "e1"))
    await stored(service, application, 3)
    told.answered_services.append("messaging")
    # Its last words of the person are on the bus before its answer.
    await put(service, application, of(3, "ann", ""))
    await publisher.publish(service.js, told, application, suffix="o1")

    subject = subjects.subject(ErasureReport, application)
    report = await eventually(
        lambda: last_published(service.js, subjects.AUDIENCE.name, subject, ErasureReport)
    )

    assert [one.user_id for one in await listed(service, application)] == ["ben"]
    assert (report.service, report.operation) == ("analytics", told.operation)
    assert report.erased_rows["events"] == 3
    assert {one.what for one in report.kept} == {"stream EVENTS", "stream MESSAGES"}


async def test_what_was_rewritten_is_waited_for_on_the_disk(service, event_store, application):
    await put(service, application, of(0, "ann", "e1"))
    await stored(service, application, 1)
    await refuse_old_parts(event_store, now() - timedelta(days=1))

    await event_store.command(
        "ALTER TABLE events DELETE WHERE application = {application:String}"
        " SETTINGS mutations_sync = 1",
        {"application": application},
    )

    with pytest.raises(Unavailable):
        await refuse_old_parts(event_store, now() + timedelta(seconds=1))
