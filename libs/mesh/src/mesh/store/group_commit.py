"""Group commit: calls that come while a group is being worked on make up the next one.

Under load the groups grow by themselves. `linger_seconds` lets them grow further, as PostgreSQL's
`commit_delay` does when there are `commit_siblings`: right after a group of several, the next one
waits that long, as long as more come. A call that comes alone never waits.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from mesh.telemetry import propagation
from mesh.telemetry.propagation import Trace

Item = TypeVar("Item")
Result = TypeVar("Result")

_CROWD_SECONDS = 0.1
"""How long after a group of several the next one expects company."""

_LINGER_STEPS = 5
"""Nobody waits longer than one of these for company that does not come."""

Flush = Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]


class GroupCommit(Generic[Item, Result]):
    """Turns single items into groups of at most `size_max` for `flush`, `concurrency` at a time.

    `flush` returns one result per item, in order; what it raises, each of its items raises. It is
    in the trace of the first of them, and knows nothing else of whoever called.
    """

    def __init__(
        self,
        flush: Flush[Item, Result],
        *,
        size_max: int,
        concurrency: int = 1,
        waiting_max: int = 100_000,
        linger_seconds: float = 0.0,
    ) -> None:
        self._flush = flush
        self._size_max = size_max
        self._concurrency = concurrency
        self._linger_seconds = linger_seconds
        self._crowded_until = 0.0
        self._room = asyncio.Semaphore(waiting_max)
        self._waiting: deque[tuple[Item, asyncio.Future[Result], Trace]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """The item's result, once its group is through. Waits while too many others do."""
        return (await self.submit_all([item]))[0]

    async def submit_all(self, items: Sequence[Item]) -> list[Result]:
        """The items' results, in order. They may be worked on in several groups."""
        loop, trace = asyncio.get_running_loop(), propagation.current()
        futures: list[asyncio.Future[Result]] = []
        try:
            for item in items:
                await self._room.acquire()
                future: asyncio.Future[Result] = loop.create_future()
                futures.append(future)
                self._waiting.append((item, future, trace))
            self._start()
            return list(await asyncio.gather(*futures))
        finally:
            for _ in futures:
                self._room.release()

    def _start(self) -> None:
        while self._waiting and len(self._tasks) < self._concurrency:
            self._tasks.add(asyncio.create_task(self._work_until_empty(), context=Context()))
            if len(self._waiting) <= self._size_max:
                break

    async def _work_until_empty(self) -> None:
        try:
            await self._work()
        finally:
            # Not in a callback of the task, for which who comes meanwhile would wait in vain.
            self._tasks.discard(asyncio.current_task())  # type: ignore[arg-type]  # it is one

    async def _work(self) -> None:
        while self._waiting:
            await self._linger()
            count = min(len(self._waiting), self._size_max)
            group = [self._waiting.popleft() for _ in range(count)]
            if count > 1:
                self._crowded_until = asyncio.get_running_loop().time() + _CROWD_SECONDS
            if count:
                await self._work_on(group)

    async def _linger(self) -> None:
        """Waits while more come, if the last group had company."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        crowded = begun < self._crowded_until and len(self._waiting) < self._size_max
        while crowded and loop.time() < begun + self._linger_seconds:
            count = len(self._waiting)
            await asyncio.sleep(self._linger_seconds / _LINGER_STEPS)
            crowded = count < len(self._waiting) < self._size_max

    async def _work_on(self, group: "Sequence[tuple[Item, asyncio.Future[Result], Trace]]") -> None:
        propagation.enter(group[0][2])
        try:
            results = await self._flush([item for item, _, _ in group])
        except asyncio.CancelledError:
            for _, future, _ in group:
                future.cancel()
            raise
        except Exception as error:
            for _, future, _ in group:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future, _), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)
