"""How accepted events leave for the bus."""

import asyncio

import pytest
from analytics.recorder import MESSAGE_BYTES_MAX, Recorder, split
from analytics.room import Room
from analytics_samples import event
from heliograph import subjects
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh.errors import ResourceExhausted, Unavailable
from mesh.eventing import jetstream
from mesh.testkit import eventually
from mesh.testkit.bus import published


async def recorded(js) -> list[EventsRecorded]:
    everyones = subjects.subject(EventsRecorded, "*")
    return await published(js, subjects.EVENTS.name, everyones, EventsRecorded)


async def test_what_comes_at_once_leaves_in_few_messages(nats) -> None:
    _, js = nats
    await jetstream.ensure_streams(js, subjects.EVENTS)

    async with Recorder(js) as recorder:
        await asyncio.gather(
            *(recorder.record("shop", split([event(number)])) for number in range(500))
        )

    messages = await recorded(js)
    assert len(messages) <= 5
    assert all(message.application == "shop" for message in messages)
    assert all(message.receive_time.seconds for message in messages)
    ids = [sent.event_id for message in messages for sent in message.events]
    assert sorted(ids) == sorted(f"event-{number}" for number in range(500))


async def test_applications_do_not_share_messages(nats) -> None:
    _, js = nats
    await jetstream.ensure_streams(js, subjects.EVENTS)

    async with Recorder(js) as recorder:
        await asyncio.gather(
            *(recorder.record(f"shop-{n % 3}", split([event(n)])) for n in range(30))
        )

    for message in await recorded(js):
        numbers = {int(sent.event_id.removeprefix("event-")) % 3 for sent in message.events}
        assert numbers == {int(message.application[-1])}


async def test_without_the_bus_nothing_is_acknowledged(nats, fresh_nats_server) -> None:
    _, js = nats
    await jetstream.ensure_streams(js, subjects.EVENTS)

    async with Recorder(js, publish_attempts_max=1, ack_timeout_seconds=3.0) as recorder:
        await recorder.record("shop", split([event(0)]))
        await fresh_nats_server.stop()
        with pytest.raises(Unavailable) as refused:
            await recorder.record("shop", split([event(1)]))
        await fresh_nats_server.start()
        await eventually(lambda: recorded_again(recorder))

    assert refused.value.reason == "EVENTS_NOT_STORED"
    assert refused.value.retry_after_seconds
    ids = {sent.event_id for message in await recorded(js) for sent in message.events}
    assert ids >= {"event-0", "event-2"}


async def recorded_again(recorder: Recorder) -> bool:
    try:
        await recorder.record("shop", split([event(2)]))
    except Unavailable:
        return False
    return True


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=2000), min_size=1, max_size=30))
def test_parts_keep_every_event_and_fit_the_bus(sizes: list[int]) -> None:
    events = [
        event(number, attributes={f"k{n}": "x" * 200 for n in range(size)})
        for number, size in enumerate(sizes)
    ]

    parts = split(events)

    rejoined = EventsRecorded.FromString(b"".join(parts))
    assert list(rejoined.events) == events
    for part in parts:
        alone = len(EventsRecorded.FromString(part).events) == 1
        assert alone or len(part) <= MESSAGE_BYTES_MAX


async def test_room_that_is_taken_is_waited_for() -> None:
    room = Room(bytes_max=10, timeout_seconds=60)
    order = []

    async def hold(name: str, size_bytes: int, until: asyncio.Event) -> None:
        async with room.taken(size_bytes):
            order.append(name)
            await until.wait()

    first, second = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold("first", 8, first))
        group.create_task(hold("second", 8, second))
        await asyncio.sleep(0)
        assert order == ["first"]
        first.set()
        second.set()
    assert order == ["first", "second"]


async def test_room_that_stays_taken_is_refused() -> None:
    room = Room(bytes_max=10, timeout_seconds=0.01)

    async with room.taken(100):
        with pytest.raises(ResourceExhausted) as refused:
            async with room.taken(1):
                pass

    assert refused.value.reason == "TOO_MANY_EVENTS_WAITING"
    async with room.taken(1):
        pass
