"""Being woken, instead of looking all the time whether there is something to do."""

import asyncio
from typing import Protocol
from weakref import WeakSet


class Waiting(Protocol):
    """What one who rests waits for."""

    async def wait(self, timeout_seconds: float) -> bool:
        """Whether it was woken since the last call, within `timeout_seconds`."""


class Wakeup:
    """For one who waits. No wake is lost: whoever is woken at work does not rest the next time.

    Of several who share it, each wake lets one go.
    """

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Let who waits look at once, or as soon as what is under way is done."""
        self._woken.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """Whether it was woken since the last call, within `timeout_seconds`."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self._woken.is_set():
                    await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class Wakeups:
    """Wakes any number of those who wait, each with a wakeup of its own."""

    def __init__(self) -> None:
        self._wakeups: WeakSet[Wakeup] = WeakSet()

    def wakeup(self) -> Wakeup:
        """What is woken from now on, for as long as it is kept. Take it before looking."""
        wakeup = Wakeup()
        self._wakeups.add(wakeup)
        return wakeup

    def wake(self) -> None:
        """Let everybody look."""
        for wakeup in self._wakeups:
            wakeup.wake()
