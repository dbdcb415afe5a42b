"""Single writes that come together are stored together, and each has its own outcome."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest_asyncio
from audience.endpoints import locks
from audience.endpoints.patches import Patch
from audience.endpoints.updates import Updates
from audience_room import SHOP, Room, name
from heliograph.audience.v1 import endpoint_pb2, events_pb2
from heliograph.audience.v1 import endpoint_service_pb2 as pb
from mesh.errors import Aborted, Error
from mesh.store import engine

Endpoint = endpoint_pb2.Endpoint
LOCK_TIMEOUT_SECONDS = 0.5


@pytest_asyncio.fixture(loop_scope="session")
async def updates(room: Room, database_url: str) -> AsyncIterator[Updates]:
    """Of a room that waits for locks until it gets them."""
    database = engine.create(
        database_url, lock_timeout_seconds=60.0, statement_timeout_seconds=60.0
    )
    yield Updates(engine.sessions(database), room.now)
    await database.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def hasty(room: Room, database_url: str) -> AsyncIterator[Updates]:
    """Of a room that does not wait long for locks."""
    database = engine.create(database_url, lock_timeout_seconds=LOCK_TIMEOUT_SECONDS)
    yield Updates(engine.sessions(database), room.now)
    await database.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def other(database_url: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
    """Somebody else at the same database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def together(updates: Updates, *patches: Patch, application: str = "shop") -> list[Any]:
    """What each write gives or raises, when all come at the same moment."""
    writes = (updates.write(application, patch) for patch in patches)
    return list(await asyncio.gather(*writes, return_exceptions=True))


def push(endpoint: str, token: str = "", **fields: Any) -> Patch:
    return Patch(endpoint=endpoint, channel_type=3, address=token or endpoint, **fields)


async def test_writes_that_come_together_are_one_transaction(
    updates: Updates, other: "asyncpg.Connection[Any]"
) -> None:
    stored = await together(updates, *(push(f"e{index}") for index in range(30)))

    assert [one.name for one in stored] == [name(f"e{index}") for index in range(30)]
    transactions = await other.fetch("SELECT DISTINCT xmin::text FROM endpoint")
    assert len(transactions) == 1


async def test_of_two_writes_to_an_endpoint_the_later_wins_and_both_succeed(
    updates: Updates, room: Room
) -> None:
    first, second = await together(
        updates, push("e", metrics={"a": 1.0, "b": 1.0}), push("e", metrics={"b": 2.0})
    )

    assert dict(first.metrics) == {"a": 1, "b": 1}
    assert dict(second.metrics) == {"a": 1, "b": 2}
    assert await room.read("e") == second


async def test_each_call_has_its_own_refusal(updates: Updates, room: Room) -> None:
    before = await room.write("e1", channel_type=3, address="t1")
    stale, fresh, missing, created = await together(
        updates,
        Patch(endpoint="e1", etag='"7"', metrics={"m": 7.0}),
        Patch(endpoint="e1", etag=before.etag, metrics={"m": 1.0}),
        Patch(endpoint="e2", update_only=True),
        push("e3"),
    )

    assert isinstance(stale, Aborted)
    assert missing.reason == "ENDPOINT_NOT_FOUND"
    assert created.status == Endpoint.ACTIVE
    assert dict(fresh.metrics) == dict((await room.read("e1")).metrics) == {"m": 1}


async def test_an_address_that_several_take_belongs_to_the_last(
    updates: Updates, room: Room
) -> None:
    await room.write("before", channel_type=3, address="t")
    await together(updates, *(push(f"e{index}", "t") for index in range(3)))

    statuses = [(await room.read(one)).status for one in ("before", "e0", "e1", "e2")]
    assert statuses == [Endpoint.INACTIVE] * 3 + [Endpoint.ACTIVE]
    (event,) = await room.announced(events_pb2.AddressesClaimed)
    assert {one.former_endpoint for one in event.claims} == {name("before"), name("e0"), name("e1")}


async def test_a_users_limit_counts_those_that_come_together(updates: Updates, room: Room) -> None:
    await together(updates, *(push(f"e{index:02}", user_id="ada") for index in range(20)))

    (event,) = await room.announced(events_pb2.EndpointsEvicted)
    assert [one.endpoint for one in event.evictions] == [name(f"e{index:02}") for index in range(5)]


async def test_one_that_cannot_be_stored_fails_alone(
    hasty: Updates, other: "asyncpg.Connection[Any]", room: Room
) -> None:
    async with other.transaction():
        await locks.lock(other, "shop", "endpoint", ["held"])
        patches = [push(f"e{index}", metrics={"m": 1.0}) for index in range(5)]
        held, *good = await together(hasty, push("held"), *patches, push("e4", "moved"))

    assert isinstance(held, asyncpg.LockNotAvailableError)
    assert [one.address for one in good] == ["e0", "e1", "e2", "e3", "e4", "moved"]
    assert await room.listed() == [f"e{index}" for index in range(5)]
    assert (await room.read("e4")).address == "moved"


async def test_an_application_that_is_held_up_holds_up_nobody_else(
    updates: Updates, other: "asyncpg.Connection[Any]", room: Room
) -> None:
    await room.create_application("other")
    async with other.transaction():
        await locks.lock_application(other, "other")
        waiting = asyncio.create_task(together(updates, push("e"), application="other"))
        (stored,) = await together(updates, push("e"))
        assert stored.name == name("e")
        assert not waiting.done()
    (stored,) = await waiting
    assert isinstance(stored, Endpoint)


async def test_calls_at_the_front_door_are_stored_together(room: Room) -> None:
    await asyncio.gather(
        *(room.write(f"e{index}", channel_type=3, address=f"t{index}") for index in range(20)),
        *(
            room.endpoints.CreateEndpoint(
                pb.CreateEndpointRequest(
                    parent=SHOP, endpoint={"channel_type": 3, "address": f"t{index}"}
                )
            )
            for index in range(20, 40)
        ),
    )

    assert len(await room.listed()) == 40


async def test_a_deleted_application_is_refused_to_all(
    updates: Updates, other: "asyncpg.Connection[Any]"
) -> None:
    await other.execute(
        "INSERT INTO tombstones (application, operation, delete_time, hear_time, erased_rows)"
        " VALUES ('gone', 'o', $1, $1, '{}')",
        datetime.now(UTC),
    )
    refused = await together(updates, push("a"), push("b"), application="gone")

    assert [one.reason for one in refused if isinstance(one, Error)] == ["APPLICATION_DELETED"] * 2
