"""A deleted application: nothing is sent for it any more, and nothing of it is left."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from heliograph.messaging.v1 import suppression_service_pb2
from heliograph.messaging.v1.suppression_pb2 import Suppression
from mesh.errors import NotFound
from mesh.eventing import publisher
from mesh.store import engine
from mesh.testkit.tenants import rows_left
from mesh.testkit.waiting import eventually
from messaging import erasure
from messaging.ledger import frontiers
from messaging.ledger.persistence import batch_lock
from messaging_samples import APPLICATION, PARENT, batch, endpoint, number

MEMBERS = 400


async def delete(js):
    event = ApplicationDeleted(application=APPLICATION, operation=f"{PARENT}/operations/o1")
    event.delete_time.GetCurrentTime()
    await publisher.publish(js, event, APPLICATION)


async def left(room, application):
    database = engine.create(room.database_url)
    try:
        return await rows_left(engine.sessions(database), application)
    finally:
        await database.dispose()


async def suppress(room, application):
    await room.suppressions.CreateSuppression(
        suppression_service_pb2.CreateSuppressionRequest(
            parent=f"applications/{application}",
            suppression=Suppression(address=number(9_000), channel_type=ChannelType.SMS),
        )
    )


async def test_everything_of_it_is_erased_and_told(room):
    await suppress(room, APPLICATION)
    await suppress(room, "other")
    await room.publish(batch([endpoint(i) for i in range(20)]))
    await room.settled(20)
    before = await left(room, APPLICATION)

    await delete(room.js)
    told = await room.erasure_report()

    assert before.keys() >= {"messages", "channels", "suppressions"}
    assert set(await left(room, APPLICATION)) == {"tombstones"}
    assert (await left(room, "other"))["suppressions"] == 1
    assert (told.service, told.erased_rows["messages"]) == ("messaging", 20)
    assert told.erased_rows["channels"] == told.erased_rows["suppressions"] == 1
    assert room.assembly.connections.get(APPLICATION, ChannelType.SMS) is None
    with pytest.raises(NotFound) as refusal:
        await suppress(room, APPLICATION)
    assert refusal.value.reason == "APPLICATION_DELETED"


async def test_a_run_that_is_under_way_stops_and_nothing_follows_the_answer(room):
    await room.carrier.remote.behave(answer_delay_seconds=0.5)
    for page in range(4):
        members = [endpoint(MEMBERS * page + i) for i in range(MEMBERS)]
        await room.publish(batch(members, f"b{page}"))

    async def some_arrived():
        return len(await room.arrived()) > 20

    await eventually(some_arrived)

    await delete(room.js)
    await room.erasure_report()
    arrived = len(await room.arrived())
    late = batch([endpoint(9_000)], "late")
    await room.publish(late)

    await room.drained()
    assert len(await room.arrived()) == arrived < 4 * MEMBERS
    assert set(await left(room, APPLICATION)) == {"tombstones"}


async def test_who_was_away_hears_of_the_deletion_before_it_touches_a_batch(make_room):
    room = await make_room(at_work=False)
    await room.create_channel()
    for page in range(3):
        await room.publish(batch([endpoint(10 * page + i) for i in range(10)], f"b{page}"))
    await delete(room.js)

    async with AsyncExitStack() as stack:
        await room.assembly.start(stack)
        told = await room.erasure_report()

    assert await room.arrived() == []
    assert await room.rows() == []
    assert told.erased_rows["messages"] == 0


async def test_the_ledger_takes_nothing_whoever_has_not_heard_yet(room):
    await room.pool.execute(
        "INSERT INTO tombstones (application, operation, delete_time, hear_time, erased_rows)"
        " VALUES ($1, 'o', now(), now(), '{}')",
        APPLICATION,
    )
    # This process has not looked at the tombstones since, or just now.
    await room.publish(batch([endpoint(i) for i in range(5)]))
    await room.drained()
    assert (await room.rows(), await room.arrived()) == ([], [])


async def test_nothing_leaves_once_it_is_buried_though_it_was_marked_before(room):
    now = datetime.now(UTC)
    before = await frontiers.reach(room.pool, APPLICATION, "b1", 5, now)
    await room.pool.execute(
        "INSERT INTO tombstones (application, operation, delete_time, hear_time, erased_rows)"
        " VALUES ($1, 'o', now(), now(), '{}')",
        APPLICATION,
    )

    after = await frontiers.reach(room.pool, APPLICATION, "b1", 9, now)

    assert (before, after) == (True, False)
    assert await frontiers.read(room.pool, APPLICATION, "b1") == 5
    assert await frontiers.under_way(room.pool, APPLICATION) == ["b1"]


async def test_what_is_leaving_is_waited_for(room):
    await frontiers.reach(room.pool, APPLICATION, "b1", 5, datetime.now(UTC))
    async with batch_lock(room.pool, "b1") as worker:
        assert worker is not None
        waiting = asyncio.create_task(erasure.wait_for_workers(room.assembly.pool, APPLICATION))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done

    assert await waiting == 0
