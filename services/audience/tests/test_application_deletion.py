"""Deleting an application: nothing of it is left here, and the operation tells who did what."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from audience.applications import deletion, erasure
from audience.consent import store as consent_store
from audience.consent.facts import Fact
from audience.endpoints import locks
from audience_consent import NOON
from audience_room import SHOP, Room
from google.longrunning import operations_pb2
from heliograph import subjects
from heliograph.audience.v1 import application_service_pb2 as pb
from heliograph.audience.v1 import events_pb2
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from mesh.errors import Aborted, FailedPrecondition, NotFound, PermissionDenied
from mesh.eventing import jetstream, outbox, publisher
from mesh.store import engine, tombstones
from mesh.store.tombstones import Tombstones
from mesh.testkit import eventually
from mesh.testkit.bus import last_published
from mesh.testkit.tenants import rows_left
from mesh.testkit.tokens import MintToken
from nats.js import JetStreamContext

OTHERS = ("campaign", "messaging", "analytics", "twoway")
PHONE = {"channel_type": "SMS", "address": "+14155550123"}


@pytest_asyncio.fixture(loop_scope="session")
async def js(nats: tuple[Any, JetStreamContext], room: Room) -> AsyncIterator[JetStreamContext]:
    """The bus, with this room's loops on it."""
    bus = nats[1]
    await jetstream.ensure_streams(bus, subjects.AUDIENCE)
    erasures = erasure.erasures(room.sessions, bus, Tombstones(room.sessions), poll_seconds=0.05)
    working = asyncio.create_task(erasures.run())
    relay, gathering = (
        outbox.Relay(room.sessions, bus, ordered=True),
        erasure.consumer(bus, room.sessions),
    )
    async with relay, gathering:
        yield bus
    working.cancel()
    await asyncio.wait([working])


async def fill(room: Room) -> None:
    """Something of everything."""
    await room.write("e1", **PHONE, user={"user_id": "u1", "attributes": {"a": {"values": ["b"]}}})
    await room.create_segment({"channel": {"operator": "INCLUSIVE", "channel_types": ["SMS"]}})
    await room.imported(b"ChannelType,Address,Id\nSMS,+14155550199,e2\nSMS,none,e3\n")
    await room.upload(b"ChannelType,Address,Id\nSMS,+14155550177,e4\n", request_id="r1")


async def delete(room: Room, **fields: Any) -> operations_pb2.Operation:
    return await room.applications.DeleteApplication(
        pb.DeleteApplicationRequest(name=SHOP, **fields)
    )


async def told(room: Room, operation: operations_pb2.Operation) -> pb.DeleteApplicationMetadata:
    """How far the operation says each service is."""
    request = operations_pb2.GetOperationRequest(name=operation.name)
    metadata = pb.DeleteApplicationMetadata()
    (await room.operations.GetOperation(request)).metadata.Unpack(metadata)
    return metadata


async def keep(room: Room, *facts: Fact) -> None:
    """What was heard of opt-outs, the marks of the catching-up among it."""
    async with room.sessions.begin() as session:
        await consent_store.keep(await engine.raw(session), facts)


def done(metadata: pb.DeleteApplicationMetadata) -> set[str]:
    return {one.service for one in metadata.services if one.HasField("erase_time")}


async def until_done(room: Room, operation: operations_pb2.Operation, services: set[str]) -> None:
    async def are_done() -> bool:
        return done(await told(room, operation)) == services

    await eventually(are_done)


async def answer(js: JetStreamContext, operation: operations_pb2.Operation, service: str) -> None:
    """What another service says once it is done."""
    report = ErasureReport(
        application="shop",
        operation=operation.name,
        service=service,
        erased_rows={"things": 7},
    )
    report.erase_time.GetCurrentTime()
    await publisher.publish(js, report, "shop")


async def test_everything_of_it_is_erased_and_its_neighbour_keeps_all(
    room: Room, js: JetStreamContext
) -> None:
    await room.create_application("other")
    await fill(room)

    operation = await delete(room)
    await until_done(room, operation, {"audience"})

    assert set(await rows_left(room.sessions, "shop")) == {"tombstones", "operations"}
    assert set(await rows_left(room.sessions, "other")) == {"application", "request_ids"}
    (mine, *_) = (await told(room, operation)).services
    assert (mine.erased_rows["endpoint"], mine.erased_rows["segment"]) == (2, 1)
    listed = await room.operations.ListOperations(operations_pb2.ListOperationsRequest(name=SHOP))
    assert [one.name for one in listed.operations] == [operation.name]


async def test_an_application_without_opt_outs_has_none_erased(
    room: Room, js: JetStreamContext
) -> None:
    await keep(room, Fact("shop", "", "", False, NOON), Fact("shop", "", "alerts", False, NOON))
    operation = await delete(room)
    await until_done(room, operation, {"audience"})

    (mine, *_) = (await told(room, operation)).services
    assert mine.erased_rows["address_opt_out"] == 0
    assert set(await rows_left(room.sessions, "shop")) == {"tombstones", "operations"}


async def test_opt_outs_that_were_known_are_counted(room: Room, js: JetStreamContext) -> None:
    known = Fact("shop", "+14155550123", "default", True, NOON)
    await keep(room, known, Fact("shop", "", "", False, NOON))
    operation = await delete(room)
    await until_done(room, operation, {"audience"})

    (mine, *_) = (await told(room, operation)).services
    assert mine.erased_rows["address_opt_out"] == 1


async def test_the_operation_ends_with_the_last_answer_and_not_before(
    room: Room, js: JetStreamContext
) -> None:
    operation = await delete(room)
    request = operations_pb2.GetOperationRequest(name=operation.name)
    for service in OTHERS[:-1]:
        await answer(js, operation, service)
        await answer(js, operation, service)
    await until_done(room, operation, {"audience", *OTHERS[:-1]})
    waiting = await room.operations.GetOperation(request)

    await answer(js, operation, OTHERS[-1])
    await until_done(room, operation, {"audience", *OTHERS})

    ended = await room.operations.GetOperation(request)
    response = pb.DeleteApplicationResponse()
    ended.response.Unpack(response)
    assert (waiting.done, ended.done, response.application) == (False, True, SHOP)
    assert {one.service: one.erased_rows["things"] for one in response.services} == {
        "audience": 0,
        **dict.fromkeys(OTHERS, 7),
    }


async def test_what_nobody_answers_is_announced_again_and_answered_again(
    room: Room, js: JetStreamContext
) -> None:
    operation = await delete(room)
    await until_done(room, operation, {"audience"})

    assert await erasure.remind(room.sessions, js) == 1
    subject = subjects.subject(events_pb2.ApplicationDeleted, "shop")
    event = await last_published(js, subjects.AUDIENCE.name, subject, events_pb2.ApplicationDeleted)
    assert event is not None
    assert (event.application, event.operation) == ("shop", operation.name)

    for service in OTHERS:
        await answer(js, operation, service)
    await until_done(room, operation, {"audience", *OTHERS})
    assert await erasure.remind(room.sessions, js) == 0


async def test_from_the_answer_on_nothing_is_asked_of_it_and_deleting_again_is_no_error(
    room: Room,
) -> None:
    first = await delete(room)

    for asked in (
        room.applications.GetApplication(pb.GetApplicationRequest(name=SHOP)),
        room.applications.UpdateApplication(
            pb.UpdateApplicationRequest(application={"name": SHOP})
        ),
        room.write("e1", **PHONE),
        room.create_segment({"channel": {"operator": "INCLUSIVE", "channel_types": ["SMS"]}}),
        room.upload(b"Id\ne1\n"),
    ):
        with pytest.raises(NotFound) as refusal:
            await asked
        assert refusal.value.reason == "APPLICATION_DELETED"
    with pytest.raises(FailedPrecondition) as kept:
        await room.create_application("shop")

    listed = await room.applications.ListApplications(pb.ListApplicationsRequest())
    assert kept.value.reason == "APPLICATION_DELETED"
    assert list(listed.applications) == []
    assert (await delete(room)).name == first.name
    assert len(await room.announced(events_pb2.ApplicationDeleted)) == 1


async def test_a_write_that_another_replica_still_lets_in_finds_it_gone(
    room: Room, reading: Any
) -> None:
    async with room.sessions.begin() as session:
        await deletion.delete(session, "shop", "", datetime.now(UTC))

    # This replica has not looked at the tombstones since.
    with pytest.raises(NotFound):
        await room.write("e1", **PHONE)
    async with reading.acquire() as connection, connection.transaction():
        with pytest.raises(NotFound):
            await locks.lock_application(connection, "shop")


async def test_a_stale_etag_a_foreign_caller_and_a_name_of_nothing_delete_nothing(
    room: Room, mint_token: MintToken
) -> None:
    created = await room.applications.GetApplication(pb.GetApplicationRequest(name=SHOP))
    await room.applications.UpdateApplication(
        pb.UpdateApplicationRequest(application={"name": SHOP, "display_name": "The shop"})
    )
    with pytest.raises(Aborted):
        await delete(room, etag=created.etag)
    with pytest.raises(NotFound):
        await room.applications.DeleteApplication(
            pb.DeleteApplicationRequest(name="applications/nowhere")
        )
    room.use(mint_token(["other"], roles=["writer"]))
    with pytest.raises(PermissionDenied):
        await delete(room)

    async with room.sessions() as session:
        assert await tombstones.find(session, "shop") is None
