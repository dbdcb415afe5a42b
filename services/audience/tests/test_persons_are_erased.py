"""Deleting a person: gone here, remembered by hashes alone, and told of until all have answered."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from audience.applications import erasure
from audience.persons import gathering
from audience.persons.erasure import orders_of
from audience.tables import ErasedPersonRow
from audience_room import SHOP, Room, values
from google.longrunning import operations_pb2
from heliograph import subjects
from heliograph.audience.v1 import endpoint_service_pb2, events_pb2
from heliograph.audience.v1 import user_service_pb2 as pb
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from mesh.errors import FailedPrecondition, NotFound
from mesh.eventing import jetstream, outbox, publisher
from mesh.testkit import eventually
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlmodel import select

OTHERS = ("campaign", "messaging", "analytics", "twoway")
PHONE = {"channel_type": "SMS", "address": "+14155550123"}
ANN = {"user_id": "ann", "attributes": values(tier=["gold"])}
TABLES = ("endpoint", "user_profile", "import_failure", "request_ids", "erased_person", "outbox")


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


async def delete(room: Room, user: str = "ann", **fields: Any) -> operations_pb2.Operation:
    return await room.users.DeleteUser(pb.DeleteUserRequest(name=f"{SHOP}/users/{user}", **fields))


async def told(room: Room, operation: operations_pb2.Operation) -> pb.DeleteUserMetadata:
    request = operations_pb2.GetOperationRequest(name=operation.name)
    metadata = pb.DeleteUserMetadata()
    (await room.operations.GetOperation(request)).metadata.Unpack(metadata)
    return metadata


async def until_done(room: Room, operation: operations_pb2.Operation, *services: str) -> None:
    async def are_done() -> bool:
        found = (await told(room, operation)).services
        return {one.service for one in found if one.HasField("erase_time")} >= set(services)

    await eventually(are_done, 15)


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
    try:
        found = await js.get_last_msg(subjects.AUDIENCE.name, subject)
    except NotFoundError:
        return None
    return events_pb2.UserErased.FromString(found.data or b"")


async def left(room: Room, *words: str) -> list[str]:
    """Tables that hold any of the words anywhere."""
    found = []
    async with room.sessions() as session:
        connection = await session.connection()
        for table in TABLES:
            rows = await connection.execute(text(f"SELECT t.*::text FROM {table} t"))
            whole = "".join(row[0] for row in rows)
            if any(word in whole or word.encode().hex() in whole for word in words):
                found.append(table)
    return found


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

    await eventually(is_told_again, 15)
    assert await gathering.close(room.sessions, js) == 0, "three have not answered"
    assert await gathering.remind(room.sessions, js) == 1
    for service in OTHERS:
        await answer(js, operation, service)
    await until_done(room, operation, "audience", *OTHERS)
    assert not (
        await room.operations.GetOperation(operations_pb2.GetOperationRequest(name=operation.name))
    ).done

    await eventually(lambda: _closed(room, js), 15)

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


async def test_nothing_brings_an_erased_person_back_but_their_own_wish(room: Room) -> None:
    await room.write("e1", **PHONE, user=ANN)
    await delete(room)

    refused = []
    for fields in (
        {**PHONE},
        {"channel_type": "VOICE", "address": "+1 415 555 0123"},
        {"channel_type": "EMAIL", "address": "ann@example.com", "user": {"user_id": "ann"}},
    ):
        with pytest.raises(FailedPrecondition) as refusal:
            await room.write("e2", **fields)
        refused.append(refusal.value.reason)
    with pytest.raises(FailedPrecondition):
        await room.users.UpdateUser(
            pb.UpdateUserRequest(user={"name": f"{SHOP}/users/ann"}, allow_missing=True)
        )
    await room.write("e5", channel_type="EMAIL", address="bob@example.com")
    await room.write("e6", channel_type="EMAIL", address="Dee@example.com", user={"user_id": "dee"})
    await delete(room, "dee")
    with pytest.raises(FailedPrecondition):
        await room.write("e6", channel_type="EMAIL", address="dEE@EXAMPLE.com")
    job = await room.imported(
        b"ChannelType,Address,Id,User.UserId\nSMS,+14155550123,e2,\nSMS,+14155550124,e3,ann\n"
        b"EMAIL,cy@example.com,e4,cy\nSMS,+14155550125,e5,\n"
    )

    assert refused == ["PERSON_ERASED"] * 3
    assert [one[0::2] for one in await room.failures(job.name)] == [
        (2, "PERSON_ERASED"),
        (3, "PERSON_ERASED"),
    ]
    assert await room.listed() == ["e4", "e5"]
    back = await room.endpoints.CreateEndpoint(
        endpoint_service_pb2.CreateEndpointRequest(
            parent=SHOP,
            endpoint_id="e9",
            endpoint={**PHONE, "user": {"user_id": "ann"}},
            readmit_erased=True,
        )
    )
    assert back.address == "+14155550123"
    assert (await room.write("e8", **PHONE)).status == back.status
    async with room.sessions() as session:
        assert len((await session.exec(select(ErasedPersonRow))).all()) == 2, "those of dee"


async def test_a_batch_refuses_the_erased_person_alone(room: Room) -> None:
    await room.write("e1", **PHONE, user=ANN)
    await delete(room)
    items = [
        {"name": f"{SHOP}/endpoints/e2", "channel_type": "SMS", "address": "+14155550199"},
        {"name": f"{SHOP}/endpoints/e2", "address": "+14155550123"},
        {"name": f"{SHOP}/endpoints/e3", **PHONE},
    ]
    answered = await room.endpoints.BatchUpdateEndpoints(
        endpoint_service_pb2.BatchUpdateEndpointsRequest(
            parent=SHOP, requests=[{"endpoint": one, "allow_missing": True} for one in items]
        )
    )

    assert [one.HasField("error") for one in answered.results] == [False, True, True]
    assert (await room.read("e2")).address == "+14155550199"


async def test_who_is_forgotten_leaves_no_hash_and_may_come_again(room: Room) -> None:
    await room.write("e1", **PHONE, user=ANN)
    first = await delete(room, request_id="r1")
    again = await delete(room, request_id="r1")
    async with room.sessions() as session:
        kept = (await session.exec(select(ErasedPersonRow))).all()
    await delete(room, user="nobody", forget_erasure=True)
    await room.endpoints.UpdateEndpoint(
        endpoint_service_pb2.UpdateEndpointRequest(
            endpoint={"name": f"{SHOP}/endpoints/e1", **PHONE, "user": {"user_id": "ann"}},
            allow_missing=True,
            readmit_erased=True,
        )
    )
    await delete(room, forget_erasure=True)

    async with room.sessions() as session:
        forgotten = (await session.exec(select(ErasedPersonRow))).all()
    assert (first.name, len(kept), list(forgotten)) == (again.name, 2, [])
    assert (await room.write("e1", **PHONE)).address == "+14155550123"


async def test_an_address_that_another_user_has_too_stays_that_users(room: Room) -> None:
    await room.write("e1", channel_type="EMAIL", address="home@example.com", user=ANN)
    await room.write(
        "e2", channel_type="EMAIL", address="home@example.com", user={"user_id": "ben"}
    )

    await delete(room)
    (event,) = await room.announced(events_pb2.UserErased)

    assert (list(event.addresses), await room.listed()) == ([], ["e2"])
    assert (await room.write("e2", attributes=values(a=["b"]))).address == "home@example.com"


async def test_without_the_key_nobody_is_deleted_for_good_or_let_in_by_mistake(room: Room) -> None:
    await room.write("e1", **PHONE, user=ANN)
    await delete(room)
    key, other = room.erasure_key, base64.b64encode(bytes(32)).decode()
    room.erasure_key = f"{other}, {key}"
    await room.serve()
    with pytest.raises(FailedPrecondition) as known:
        await room.write("e2", **PHONE)
    assert known.value.reason == "PERSON_ERASED", "by the key that was the first before"
    room.erasure_key = ""
    await room.serve()

    with pytest.raises(FailedPrecondition) as without:
        await delete(room, user="ben")
    with pytest.raises(FailedPrecondition) as unknown:
        await room.write("e2", **PHONE)

    assert without.value.reason == unknown.value.reason == "ERASURE_KEY_MISSING"
    await delete(room, user="ben", forget_erasure=True)
