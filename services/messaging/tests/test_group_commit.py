"""Group commit: everybody gets their own result, and groups grow by themselves."""

import asyncio

import pytest
from mesh.telemetry import propagation, tracing
from messaging.group_commit import GroupCommit


async def test_calls_that_come_meanwhile_make_up_the_next_group():
    groups, begun, gate = [], asyncio.Event(), asyncio.Event()

    async def flush(items):
        groups.append(list(items))
        begun.set()
        await gate.wait()
        return [item * 10 for item in items]

    commit = GroupCommit(flush, size_max=100)
    first = asyncio.create_task(commit.submit(0))
    await begun.wait()
    rest = asyncio.create_task(commit.submit_all(list(range(1, 50))))
    await asyncio.sleep(0)
    gate.set()

    assert await first == 0
    assert await rest == [i * 10 for i in range(1, 50)]
    assert groups == [[0], list(range(1, 50))]


async def test_a_group_is_never_larger_than_its_limit():
    sizes = []

    async def flush(items):
        sizes.append(len(items))
        return items

    assert await GroupCommit(flush, size_max=7).submit_all(list(range(30))) == list(range(30))
    assert max(sizes) == 7


async def test_a_failed_group_fails_only_its_own():
    async def flush(items):
        if "bad" in items:
            raise OSError("away")
        return items

    commit = GroupCommit(flush, size_max=1, concurrency=3)

    good, bad, other = await asyncio.gather(
        commit.submit("good"), commit.submit("bad"), commit.submit("other"), return_exceptions=True
    )
    assert (good, other) == ("good", "other")
    assert isinstance(bad, OSError)


async def test_a_caller_that_gives_up_does_not_disturb_its_group():
    gate = asyncio.Event()

    async def flush(items):
        await gate.wait()
        return items

    commit = GroupCommit(flush, size_max=10)
    patient = asyncio.create_task(commit.submit(1))
    leaving = asyncio.create_task(commit.submit(2))
    await asyncio.sleep(0)
    leaving.cancel()
    gate.set()

    assert await patient == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_more_than_may_wait_wait_for_room():
    async def flush(items):
        return items

    commit = GroupCommit(flush, size_max=2, waiting_max=3)

    assert await asyncio.gather(*(commit.submit(i) for i in range(20))) == list(range(20))


async def test_a_group_goes_on_in_the_trace_of_its_first_and_of_no_earlier_caller():
    tracing.setup("messaging")
    seen, begun, gate = [], asyncio.Event(), asyncio.Event()

    async def flush(items):
        begun.set()
        await gate.wait()
        seen.append(propagation.trace_id())
        return items

    async def call(item):
        with tracing.tracer.start_as_current_span("call"):
            await commit.submit(item)
            return propagation.trace_id()

    commit = GroupCommit(flush, size_max=100)
    first = asyncio.create_task(call(1))
    await begun.wait()
    second, third = asyncio.create_task(call(2)), asyncio.create_task(call(3))
    await asyncio.sleep(0)
    gate.set()

    traces = [await one for one in (first, second, third)]
    assert len(set(traces)) == 3
    assert seen == traces[:2]
