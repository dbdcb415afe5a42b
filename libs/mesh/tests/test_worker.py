"""A worker goes on while there is work, hears every wake, and outlasts what fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import pytest
from mesh import worker
from mesh.backoff import Backoff
from mesh.testkit import eventually
from mesh.waking import Wakeup, Wakeups

HOUR = 3600.0


class Job:
    """Steps that do as they are told, in this order, and find nothing after that."""

    def __init__(self, *told: int | Exception) -> None:
        self.told = iter(told)
        self.steps = 0
        self.woken = Wakeup()
        self.meanwhile: Iterable[Wakeup] = ()

    async def step(self) -> int:
        self.steps += 1
        for wakeup in self.meanwhile:
            wakeup.wake()
        self.meanwhile = ()
        answer = next(self.told, 0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextlib.asynccontextmanager
async def working(job: Job, poll_seconds: float = HOUR) -> AsyncIterator[asyncio.Task[None]]:
    """A worker on the job."""
    run = worker.run("job", job.step, poll_seconds=poll_seconds, woken=job.woken)
    task = asyncio.create_task(run)
    yield task
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_it_goes_on_at_once_while_there_may_be_more() -> None:
    job = Job(1, 5, True)
    async with working(job):
        await eventually(lambda: job.steps == 4)


async def test_it_looks_when_it_is_woken() -> None:
    job = Job()
    async with working(job):
        await eventually(lambda: job.steps == 1)
        job.woken.wake()
        await eventually(lambda: job.steps == 2)


async def test_a_wake_during_a_step_is_not_lost() -> None:
    job = Job()
    job.meanwhile = [job.woken]
    async with working(job):
        await eventually(lambda: job.steps == 2)


async def test_a_wake_during_a_step_that_fails_is_not_lost() -> None:
    job = Job(ConnectionError("away"))
    job.meanwhile = [job.woken]
    async with working(job):
        await eventually(lambda: job.steps == 3)


async def test_wakes_that_come_together_are_one() -> None:
    job = Job()
    job.meanwhile = [job.woken] * 5
    async with working(job):
        await eventually(lambda: job.steps == 2)
        await asyncio.sleep(0)
    assert job.steps == 2


async def test_it_looks_now_and_then_unwoken() -> None:
    job = Job()
    async with working(job, poll_seconds=0.001):
        await eventually(lambda: job.steps > 5)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_that_a_step_forgets_is_heeded(fails: bool) -> None:
    begun = asyncio.Event()

    async def step() -> int:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if fails:
            raise OSError
        return 1

    task = asyncio.create_task(worker.run("job", step, poll_seconds=HOUR))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task], timeout=60)

    assert task.cancelled()


async def test_without_anybody_who_wakes_it_looks_now_and_then() -> None:
    job = Job()
    task = asyncio.create_task(worker.run("job", job.step, poll_seconds=0.001))
    await eventually(lambda: job.steps > 2)
    task.cancel()
    await asyncio.wait([task])


async def test_what_fails_is_logged_and_done_again(capsys: pytest.CaptureFixture[str]) -> None:
    job = Job(ConnectionError("the bus is away"), ZeroDivisionError("a mistake"), 1)
    async with working(job):
        await eventually(lambda: job.steps == 4)

    told = capsys.readouterr().out
    assert told.count("worker.failed") == 2
    assert "the bus is away" in told
    assert ("Traceback" in told, "a mistake" in told) == (True, True)


async def test_who_counts_attempts_may_set_them_further_apart() -> None:
    hasty, patient = (Job(*[ConnectionError("away")] * 3) for _ in range(2))
    later = Backoff(first_seconds=HOUR, max_seconds=HOUR)
    run = worker.run("job", patient.step, poll_seconds=0.001, backoff=later)
    task = asyncio.create_task(run)
    async with working(hasty, poll_seconds=0.001):
        await eventually(lambda: hasty.steps > 4)
    assert patient.steps == 1
    task.cancel()
    await asyncio.wait([task])


async def test_it_stops_in_the_middle_of_a_step() -> None:
    begun = asyncio.Event()

    async def step() -> int:
        begun.set()
        await asyncio.Event().wait()
        return 0

    task = asyncio.create_task(worker.run("job", step, poll_seconds=HOUR))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_it_stops_while_it_waits_to_try_again() -> None:
    job = Job(*(ConnectionError("away") for _ in range(100)))
    async with working(job):
        await eventually(lambda: job.steps == 2)
    assert job.steps < 5


async def test_everybody_who_waits_is_woken_once() -> None:
    wakeups = Wakeups()
    first, second = wakeups.wakeup(), wakeups.wakeup()

    wakeups.wake()

    assert (await first.wait(HOUR), await second.wait(HOUR)) == (True, True)
    assert (await first.wait(0), await second.wait(0)) == (False, False)


async def test_of_several_who_share_a_wakeup_each_wake_lets_one_go() -> None:
    shared = Wakeup()
    waiting = {asyncio.create_task(shared.wait(HOUR)) for _ in range(3)}
    for left in (2, 1, 0):
        shared.wake()
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        assert len(waiting) == left


async def test_who_waits_no_more_is_forgotten() -> None:
    wakeups = Wakeups()
    kept = wakeups.wakeup()
    for _ in range(3):
        wakeups.wakeup()

    assert list(wakeups._wakeups) == [kept]
