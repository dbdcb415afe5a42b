"""How many endpoints a user may have, through every door, and at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from audience.endpoints import locks, writing
from audience.endpoints.patches import Patch
from audience_room import SHOP, Room, name
from heliograph.audience.v1 import (
    application_service_pb2,
    endpoint_pb2,
    events_pb2,
    user_service_pb2,
)
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from mesh.errors import FailedPrecondition
from mesh.rpc import status
from mesh.testkit.waiting import eventually

ACTIVE, INACTIVE = endpoint_pb2.Endpoint.ACTIVE, endpoint_pb2.Endpoint.INACTIVE
SMS, EMAIL, FCM = 1, 2, 3


async def allow(room: Room, most: int, policy: Any) -> None:
    limit = {"endpoints_per_user_max": most, "endpoint_limit_policy": policy}
    await room.applications.UpdateApplication(
        application_service_pb2.UpdateApplicationRequest(
            application={"name": SHOP, "settings": limit}
        )
    )


async def add(room: Room, endpoint: str, user_id: str = "u1", **fields: Any) -> Any:
    given_fields = {"channel_type": FCM, "address": f"t-{endpoint}"} | fields
    return await room.write(endpoint, user={"user_id": user_id}, **given_fields)


async def mine(room: Room, user_id: str = "u1") -> list[str]:
    answer = await room.users.ListUserEndpoints(
        user_service_pb2.ListUserEndpointsRequest(parent=f"{SHOP}/users/{user_id}")
    )
    return [one.name.rpartition("/")[2] for one in answer.endpoints]


async def test_the_sixteenth_endpoint_takes_the_place_of_the_least_recent(room: Room) -> None:
    for index in range(15):
        await add(room, f"e{index:02}")
    await add(room, "e00")
    await add(room, "new")

    evicted = await room.read("e01")
    assert (evicted.status, evicted.HasField("user")) == (INACTIVE, False)
    assert await mine(room) == ["e00", *(f"e{index:02}" for index in range(2, 15)), "new"]
    (event,) = await room.announced(events_pb2.EndpointsEvicted)
    assert [(one.endpoint, one.user_id, one.newer_endpoint) for one in event.evictions] == [
        (name("e01"), "u1", name("new"))
    ]


async def test_an_evicted_endpoint_comes_back_by_a_write(room: Room) -> None:
    await allow(room, 1, "EVICT_LEAST_RECENT")
    await add(room, "e1")
    await add(room, "e2")
    await add(room, "e1")

    assert await mine(room) == ["e1"]
    assert (await room.read("e1")).status == ACTIVE


async def test_a_refused_endpoint_says_who_has_how_many(room: Room) -> None:
    await allow(room, 2, "REFUSE")
    await add(room, "e1")
    await add(room, "e2")
    with pytest.raises(FailedPrecondition) as refusal:
        await add(room, "e3")
    await add(room, "e2", metrics={"m": 1})

    assert refusal.value.reason == "USER_ENDPOINTS_TOO_MANY"
    assert refusal.value.violations[0].field == "user.user_id"
    assert refusal.value.metadata["user"] == "u1"
    assert refusal.value.metadata["endpoints_max"] == "2"
    assert await mine(room) == ["e1", "e2"]


async def test_as_pinpoint_push_replaces_push_and_others_are_refused(room: Room) -> None:
    await allow(room, 2, "EVICT_PUSH_REFUSE_OTHERS")
    await add(room, "mail", channel_type=EMAIL, address="a@example.com")
    await add(room, "push")
    await add(room, "newer")
    with pytest.raises(FailedPrecondition):
        await add(room, "phone", channel_type=SMS, address="+14155550100")

    assert await mine(room) == ["mail", "newer"]


async def test_a_limit_that_is_lowered_takes_nothing_away(room: Room) -> None:
    for index in range(4):
        await add(room, f"e{index}")
    await allow(room, 2, "EVICT_LEAST_RECENT")
    await add(room, "e9")

    assert await mine(room) == ["e1", "e2", "e3", "e9"]


async def test_linking_is_a_gain_and_unlinking_makes_room(room: Room) -> None:
    await allow(room, 1, "REFUSE")
    await add(room, "e1")
    await room.write("e2", channel_type=FCM, address="t2")
    link = user_service_pb2.LinkEndpointRequest(name=f"{SHOP}/users/u1", endpoint=name("e2"))
    with pytest.raises(FailedPrecondition) as refusal:
        await room.users.LinkEndpoint(link)
    await room.users.UnlinkEndpoint(
        user_service_pb2.UnlinkEndpointRequest(name=f"{SHOP}/users/u1", endpoint=name("e1"))
    )
    await room.users.LinkEndpoint(link)

    assert refusal.value.reason == "USER_ENDPOINTS_TOO_MANY"
    assert await mine(room) == ["e2"]


async def test_in_a_batch_each_item_has_its_own_refusal(room: Room) -> None:
    await allow(room, 2, "REFUSE")
    answer = await room.endpoints.BatchUpdateEndpoints(
        pb.BatchUpdateEndpointsRequest(
            parent=SHOP,
            requests=[
                pb.UpdateEndpointRequest(
                    endpoint={
                        "name": name(f"e{index}"),
                        "channel_type": FCM,
                        "address": f"t{index}",
                        "user": {"user_id": "u1"},
                    },
                    allow_missing=True,
                )
                for index in range(4)
            ],
        )
    )

    assert [one.WhichOneof("outcome") for one in answer.results] == [
        *("endpoint", "endpoint", "error", "error")
    ]
    assert {status.to_error(one.error).reason for one in answer.results[2:]} == {
        "USER_ENDPOINTS_TOO_MANY"
    }


async def test_a_stream_and_a_file_keep_the_limit_too(room: Room) -> None:
    await allow(room, 3, "REFUSE")

    async def requests() -> AsyncIterator[pb.StreamUpdateEndpointsRequest]:
        for index in range(2):
            one = {"name": name(f"s{index}"), "channel_type": FCM, "address": f"s{index}"}
            yield pb.StreamUpdateEndpointsRequest(
                parent=SHOP, endpoints=[one | {"user": {"user_id": "u1"}}]
            )

    await room.endpoints.StreamUpdateEndpoints(requests())
    rows = "".join(f"PUSH_FCM,f{index},f{index},u1\n" for index in range(3))
    job = await room.imported(f"ChannelType,Address,Id,User.UserId\n{rows}".encode())

    assert await mine(room) == ["f0", "s0", "s1"]
    assert (job.imported_count, job.failed_count) == (1, 2)
    assert await room.failures(job.name) == [
        (3, "User.UserId", "USER_ENDPOINTS_TOO_MANY"),
        (4, "User.UserId", "USER_ENDPOINTS_TOO_MANY"),
    ]


async def test_a_file_that_evicts_announces_all_of_it(room: Room) -> None:
    await allow(room, 2, "EVICT_LEAST_RECENT")
    await add(room, "old")
    rows = "".join(f"PUSH_FCM,f{index},f{index},u1\n" for index in range(4))
    job = await room.imported(f"ChannelType,Address,Id,User.UserId\n{rows}".encode())

    assert job.imported_count == 4
    assert await mine(room) == ["f2", "f3"]
    (event,) = await room.announced(events_pb2.EndpointsEvicted)
    assert [one.endpoint for one in event.evictions] == [name("old"), name("f0"), name("f1")]


@pytest.mark.parametrize("policy", ["REFUSE", "EVICT_LEAST_RECENT"])
async def test_two_calls_at_once_do_not_pass_the_limit(room: Room, policy: str) -> None:
    await allow(room, 3, policy)
    outcomes = await asyncio.gather(
        *(add(room, f"e{index}") for index in range(8)), return_exceptions=True
    )

    refused = [one for one in outcomes if isinstance(one, FailedPrecondition)]
    assert len(await mine(room)) == 3
    assert len(refused) == (5 if policy == "REFUSE" else 0)


async def test_a_write_that_waits_for_an_eviction_does_not_undo_it(
    room: Room, reading: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    await allow(room, 1, "EVICT_LEAST_RECENT")
    await add(room, "old")
    async with reading.acquire() as connection, connection.transaction():
        new = Patch(endpoint="new", channel_type=FCM, address="n", user_id="u1")
        await locks.lock_shared(connection, "shop")
        await locks.lock(connection, "shop", "user", ["u1"])
        waiting = asyncio.create_task(room.write("old", metrics={"m": 1}))
        await writing.write_few(connection, "shop", [new], room.now())
        await waits_for_lock(reading)
    await waiting

    assert await mine(room) == ["new"]
    old = await room.read("old")
    assert (dict(old.metrics), old.HasField("user")) == ({"m": 1}, False)


async def waits_for_lock(reading: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Until somebody waits for an advisory lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    await eventually(lambda: reading.fetchval(waiting))


async def test_whatever_is_written_at_once_users_and_addresses_keep_their_rules(
    room: Room, reading: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    await allow(room, 2, "EVICT_LEAST_RECENT")
    chance = random.Random(7)

    def some() -> pb.UpdateEndpointRequest:
        endpoint = {
            "name": name(f"e{chance.randrange(12)}"),
            "channel_type": FCM,
            "address": f"t{chance.randrange(8)}",
            "user": {"user_id": f"u{chance.randrange(3)}"},
        }
        return pb.UpdateEndpointRequest(endpoint=endpoint, allow_missing=True)

    batches = [[some() for _ in range(5)] for _ in range(30)]
    await asyncio.gather(
        *(
            room.endpoints.BatchUpdateEndpoints(
                pb.BatchUpdateEndpointsRequest(parent=SHOP, requests=batch)
            )
            for batch in batches
        )
    )

    crowded = "SELECT user_id FROM endpoint WHERE user_id <> '' GROUP BY 1 HAVING count(*) > 2"
    held_twice = "SELECT address FROM endpoint WHERE status = 1 GROUP BY 1 HAVING count(*) > 1"
    assert await reading.fetch(crowded) == []
    assert await reading.fetch(held_twice) == []
