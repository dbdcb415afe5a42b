"""Who was erased is not written again, at any door and in any form, unless they ask for it."""

import asyncio
import base64

import pytest
from audience.tables import ErasedPersonRow
from audience_persons import ANN, PHONE, delete
from audience_room import SHOP, Room
from heliograph.audience.v1 import endpoint_service_pb2, import_job_pb2
from heliograph.audience.v1 import user_service_pb2 as pb
from mesh.errors import FailedPrecondition
from sqlmodel import select


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


async def test_whoever_writes_the_person_at_that_moment_comes_before_or_is_refused(
    room: Room,
) -> None:
    await room.write("e0", **PHONE, user=ANN)
    lines = b"".join(b"SMS,+14155550123,f%d,ann\n" % number for number in range(20))
    job = await room.upload(b"ChannelType,Address,Id,User.UserId\n" + lines)

    written = await asyncio.gather(
        *(room.write(f"e{number}", **PHONE, user=ANN) for number in range(10)),
        delete(room),
        *(room.write(f"e{number}", **PHONE) for number in range(10, 20)),
        room.work(),
        return_exceptions=True,
    )

    assert await room.listed() == []
    refused = [one for one in written if isinstance(one, BaseException)]
    assert all(getattr(one, "reason", "") == "PERSON_ERASED" for one in refused), refused
    assert (await room.job(job)).state == import_job_pb2.ImportJob.SUCCEEDED


async def test_an_import_lets_in_who_asks_for_it(room: Room) -> None:
    await room.write("e1", **PHONE, user=ANN)
    for user in ("ann", "ben", "cy"):
        await delete(room, user)
    rows = b"ChannelType,Address,Id,User.UserId\nSMS,+14155550123,e2,ann\n,,,ben\n"
    job = await room.imported(rows, spec={"segment_id": "back", "readmit_erased": True})

    assert (job.imported_count, await room.failures(job.name)) == (2, [])
    assert await room.listed() == ["e2"]
    await room.write("e3", **PHONE)
    with pytest.raises(FailedPrecondition):
        await room.write("e4", channel_type="EMAIL", address="cy@a.org", user={"user_id": "cy"})
    async with room.sessions() as session:
        assert len((await session.exec(select(ErasedPersonRow))).all()) == 1, "that of cy"


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
