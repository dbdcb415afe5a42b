"""Places at a provider: how many messages may be on their way to it and unanswered."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Waiting = tuple[int, "asyncio.Future[None]"]


class NoPlaceError(Exception):
    """The places did not come free in time."""


class Places:
    """So many places; who asks for several gets them together, in order, the urgent first.

    What has no place yet is certainly still here, so a dead process leaves no more messages of
    which nobody knows than there were places.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._urgent: deque[Waiting] = deque()
        self._waiting: deque[Waiting] = deque()

    @property
    def free(self) -> int:
        """How many could be had now."""
        return 0 if self._urgent or self._waiting else self._free

    @asynccontextmanager
    async def taken(
        self, count: int, *, timeout_seconds: float, urgent: bool = False
    ) -> AsyncIterator[Callable[[], None]]:
        """Has so many places meanwhile; each call of what it yields gives one back early.

        Raises NoPlaceError if they do not come free in time, ValueError for more than there are.
        """
        if count > self.count:
            raise ValueError(f"{count} places of {self.count}")
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._take(count, urgent)
        except TimeoutError:
            raise NoPlaceError from None
        held = count

        def give_one() -> None:
            nonlocal held
            if held:
                held -= 1
                self._give(1)

        try:
            yield give_one
        finally:
            # An answer may come after whoever waited for it has left: it gives nothing twice.
            left, held = held, 0
            self._give(left)

    async def _take(self, count: int, urgent: bool) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._waiting).append((count, future))
        self._grant()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._give(count)
            else:
                self._grant()
            raise

    def _give(self, count: int) -> None:
        self._free += count
        self._grant()

    def _grant(self) -> None:
        """Lets in whoever is next, as long as there is room; nobody overtakes who waits for it."""
        for queue in (self._urgent, self._waiting):
            while queue:
                count, future = queue[0]
                if not future.cancelled():
                    if count > self._free:
                        return
                    self._free -= count
                    future.set_result(None)
                queue.popleft()
