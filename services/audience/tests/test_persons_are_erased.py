"""Deleting a person: gone here, remembered by hashes alone, and told of until all have answered."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from audience.applications import erasure
from audience.persons import gathering
from audience.persons.erasure import orders_of
from audience_persons import ANN, PHONE, delete, left
from audience_room import SHOP, Room, values
from google.longrunning import operations_pb2
from heliograph import subjects
from heliograph.audience.v1 import endpoint_service_pb2, events_pb2
from heliograph.audience.v1 import user_service_pb2 as pb
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from mesh.errors import NotFound
from mesh.eventing import jetstream, outbox, publisher
from mesh.testkit import eventually
from mesh.testkit.bus import last_published
from nats.js import JetStreamContext

OTHERS = ("campaign", "messaging", "analytics", "twoway")


@pytest_asyncio.fixture(loop_scope="session")
async def js(nats: tuple[Any, JetStreamContext], room: Room) -> AsyncIterator[JetStreamContext]:
    """The bus, with this room's loops on it."""
    bus = nats[1]
    await jetstream.ensure_streams(bus, subjects.AUDIENCE)
    working = asyncio.create_task(orders_of(room.sessions, bus, str(room.export_folder)).run())
    relay = outbox.Relay(room.sessions, bus, ordered=True)
    async with relay, erasure.consumer(bus, room.sessions):
        yield bus
    working.cancel()
    await asyncio.wait([working])


async def told(room: Room, operation: operations_pb2.Operation) -> pb.DeleteUserMetadata:
    request = operations_pb2.GetOperationRequest(name=operation.name)
    metadata = pb.DeleteUserMetadata()
    (await room.operations.GetOperation(request)).metadata.Unpack(metadata)
    return metadata


async def until_done(room: Room, operation: operations_pb2.Operation, *services: str) -> None:
    async def are_done() -> bool:
        found = (await told(room, operation)).services
        return {one.service for one in found if one.HasField("erase_time")} >= set(services)

    await eventually(are_done)


async def answer(js: JetStreamContext, operation: operations_pb2.Operation, service: str) -> None:
    report = ErasureReport(
        application="shop",
        operation=operation.name,
        service=service,
        erased_rows={"things": 7},
        kept=[{"what": "stops", "why": "they protect the person", "rows": 1}],
    )
    report.erase_time.GetCurrentTime()
    await publisher.publish(js, report, "shop")


async def on_the_bus(js: JetStreamContext, operation: operations_pb2.Operation) -> Any:
    """What was told last of the person."""
    subject = subjects.subject(events_pb2.UserErased, "shop", operation.name.rpartition("/")[2])
    return await last_published(js, subjects.AUDIENCE.name, subject, events_pb2.UserErased)


async def test_a_person_is_gone_at_once_and_from_answers_and_refusals(
    room: Room, js: JetStreamContext
) -> None:
    await room.endpoints.CreateEndpoint(
        endpoint_service_pb2.CreateEndpointRequest(
            parent=SHOP, endpoint_id="e1", endpoint={**PHONE, "user": ANN}, request_id="r1"
        )
    )
    await room.write("e10", channel_type="EMAIL", address="bob@example.com")
    await room.write("e3", channel_type="SMS", address="+14155550123", status="INACTIVE")
    await room.imported(b"ChannelType,Address,Id\nSMS,+14155550123 x,e1\n")
    await room.upload(b"", request_id="r2")

    operation = await delete(room)
    with pytest.raises(NotFound):
        await room.read("e1")
    await until_done(room, operation, "audience")

    (mine, *_) = (await told(room, operation)).services
    assert await room.listed() == ["e10"], "an endpoint of nobody at her address was hers, too"
    assert await left(room, "+14155550123", "gold", "e1'", "endpoints/e1\x12") == []
    rows = {"endpoint": 2, "user_profile": 1, "request_ids": 1, "import_failure": 1}
    assert {table: count for table, count in mine.erased_rows.items() if count} == rows
    assert {one.what for one in mine.kept} >= {"erased_person", "operations"}


async def test_the_proof_names_no_hash_of_a_person_whose_erasure_is_forgotten(
    room: Room, js: JetStreamContext
) -> None:
    await room.write("e1", **PHONE, user=ANN)

    operation = await delete(room, forget_erasure=True)
    await until_done(room, operation, "audience")

    (mine, *_) = (await told(room, operation)).services
    assert "erased_person" not in {one.what for one in mine.kept}


async def test_the_operation_ends_with_the_proof_and_the_bus_forgets_the_person(
    room: Room, js: JetStreamContext
) -> None:
    await room.write("e1", **PHONE, user=ANN)
    operation = await delete(room)
    await until_done(room, operation, "audience")
    first = await on_the_bus(js, operation)
    assert (first.user_id, list(first.addresses)) == ("ann", ["+14155550123"])

    await answer(js, operation, "messaging")
    await answer(js, operation, "messaging")

    async def is_told_again() -> bool:
        return "messaging" in (await on_the_bus(js, operation)).answered_services

    await eventually(is_told_again)
    assert await gathering.close(room.sessions, js) == 0, "three have not answered"
    assert await gathering.remind(room.sessions, js) == 1
    for service in OTHERS:
        await answer(js, operation, service)
    await until_done(room, operation, "audience", *OTHERS)
    assert not (
        await room.operations.GetOperation(operations_pb2.GetOperationRequest(name=operation.name))
    ).done

    await eventually(lambda: _closed(room, js))

    ended = await room.operations.GetOperation(
        operations_pb2.GetOperationRequest(name=operation.name)
    )
    response = pb.DeleteUserResponse()
    ended.response.Unpack(response)
    assert ended.done
    assert await on_the_bus(js, operation) is None
    assert {one.service: one.erased_rows["things"] for one in response.services} == {
        "audience": 0,
        **dict.fromkeys(OTHERS, 7),
    }
    assert [one.what for one in response.services[-1].kept] == ["stops"]
    assert await gathering.remind(room.sessions, js) == 0
    assert await left(room, "+14155550123", "gold") == []


async def _closed(room: Room, js: JetStreamContext) -> bool:
    return await gathering.close(room.sessions, js) == 1


async def test_an_address_that_another_user_has_too_stays_that_users(room: Room) -> None:
    await room.write("e1", channel_type="EMAIL", address="home@example.com", user=ANN)
    await room.write(
        "e2", channel_type="EMAIL", address="home@example.com", user={"user_id": "ben"}
    )

    await delete(room)
    (event,) = await room.announced(events_pb2.UserErased)

    assert (list(event.addresses), await room.listed()) == ([], ["e2"])
    assert (await room.write("e2", attributes=values(a=["b"]))).address == "home@example.com"
