"""A process that is started again when it dies, sooner at first and slower when it keeps dying."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from mesh.embedded.errors import CannotStartError
from mesh.embedded.process import ChildProcess

_FIRST_DELAY_SECONDS = 0.05
_LONGEST_DELAY_SECONDS = 5.0
_HEALTHY_SECONDS = 10.0


class Runnable(Protocol):
    """Something in a process of its own; `start` returns when it is ready, and may be repeated."""

    @property
    def process(self) -> ChildProcess | None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class KeptRunning:
    """Keeps one `runnable` running from `start` to `stop`; `changed` is called after a restart."""

    def __init__(
        self,
        name: str,
        runnable: Runnable,
        report: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.runnable = runnable
        self.restarts = 0
        self._report = report
        self._changed = changed
        self._restarted = asyncio.Condition()
        self._keeper: asyncio.Task[None] | None = None
        self._delay_seconds = _FIRST_DELAY_SECONDS

    @property
    def pid(self) -> int:
        """The number of the process that runs now."""
        return self._process.pid

    async def start(self) -> None:
        """Start for the first time; a failure is the caller's, only later ones are outlasted."""
        try:
            await self.runnable.start()
        except BaseException:
            await self.runnable.stop()
            raise
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self) -> None:
        """End it for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self.runnable.stop()

    async def kill(self, timeout_seconds: float) -> None:
        """SIGKILL; returns when it has been started again and is ready."""
        async with asyncio.timeout(timeout_seconds), self._restarted:
            seen = self.restarts
            await self._process.kill()
            await self._restarted.wait_for(lambda: self.restarts > seen)

    @property
    def _process(self) -> ChildProcess:
        assert self.runnable.process is not None
        return self.runnable.process

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            status = await self._process.wait()
            if clock() - began >= _HEALTHY_SECONDS:
                self._delay_seconds = _FIRST_DELAY_SECONDS
            self._report(f"{self.name} ended with status {status}; starting it again")
            await self._start_again()

    async def _start_again(self) -> None:
        while not await self._started():
            pass
        async with self._restarted:
            self.restarts += 1
            self._changed()
            self._restarted.notify_all()

    async def _started(self) -> bool:
        await asyncio.sleep(self._delay_seconds)
        self._delay_seconds = min(2 * self._delay_seconds, _LONGEST_DELAY_SECONDS)
        try:
            await self.runnable.stop()
            await self.runnable.start()
        except CannotStartError as error:
            self._report(f"{self.name} does not start: {error}")
            return False
        return True
