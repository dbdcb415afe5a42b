"""Group commit: everybody gets their own result, and groups grow by themselves."""

import asyncio
from functools import partial

import pytest
from mesh.store.group_commit import GroupCommit
from mesh.telemetry import propagation, tracing
from mesh.testkit.waiting import eventually


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


@pytest.mark.usefixtures("recorded")
async def test_a_group_goes_on_in_the_trace_of_its_first_and_of_no_earlier_caller():
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


async def _same(groups, items):
    groups.append(list(items))
    return items


async def test_right_after_a_group_of_several_the_next_waits_for_company():
    groups = []
    commit = GroupCommit(partial(_same, groups), size_max=100, linger_seconds=1.0)
    await commit.submit_all([1, 2])

    first = asyncio.create_task(commit.submit(3))
    await asyncio.sleep(0)
    await asyncio.gather(first, commit.submit(4))

    assert groups == [[1, 2], [3, 4]]


async def test_a_call_that_comes_alone_never_waits():
    groups = []
    commit = GroupCommit(partial(_same, groups), size_max=100, linger_seconds=3600.0)

    async with asyncio.timeout(60):
        await commit.submit(1)
        await commit.submit(2)

    assert groups == [[1], [2]]


async def test_a_full_group_does_not_wait():
    groups = []
    commit = GroupCommit(partial(_same, groups), size_max=2, linger_seconds=3600.0)

    async with asyncio.timeout(60):
        await commit.submit_all([1, 2, 3, 4])

    assert groups == [[1, 2], [3, 4]]


async def test_workers_that_waited_side_by_side_share_what_came():
    groups = []
    commit = GroupCommit(partial(_same, groups), size_max=2, concurrency=2, linger_seconds=0.05)
    await commit.submit_all([1, 2])

    assert await asyncio.gather(*(commit.submit(item) for item in range(3, 8))) == [3, 4, 5, 6, 7]
    assert all(groups)


@pytest.mark.parametrize("turns", range(8))
async def test_a_call_that_comes_as_the_last_group_ends_is_worked_on(turns):
    """Whichever turn of the event loop it comes in: nobody has to come after it."""
    late = []

    def come_after(turns_left):
        if turns_left:
            asyncio.get_running_loop().call_soon(come_after, turns_left - 1)
        else:
            late.append(asyncio.ensure_future(commit.submit("late")))

    async def flush(items):
        if "late" not in items:
            come_after(turns)
        return items

    commit = GroupCommit(flush, size_max=10)
    await commit.submit("first")
    await eventually(lambda: late)

    async with asyncio.timeout(60):
        assert await late[0] == "late"
