"""Loops that run beside the server, and whose failure ends the service."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from contextvars import ContextVar
from typing import Any

from mesh.telemetry import logging

_log = logging.get(__name__)


class Lifetime:
    """Tells a running service to stop: because it was asked to, or because a part of it failed."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self.failure: BaseException | None = None

    def stop(self) -> None:
        """Begin to stop."""
        self._stopping.set()

    def fail(self, failure: BaseException) -> None:
        """Begin to stop because of a failure; the first one counts."""
        self.failure = self.failure or failure
        self.stop()

    async def stopping(self) -> None:
        """Until the service is to stop."""
        await self._stopping.wait()


lifetime: ContextVar[Lifetime | None] = ContextVar("lifetime", default=None)


def background(
    stack: AsyncExitStack, work: Coroutine[Any, Any, None], name: str
) -> asyncio.Task[None]:
    """Run a loop until the stack unwinds, which cancels it and waits for its end.

    A loop handles the failures it can outlast; one that escapes it is logged and stops the
    service, for a service without its loop only looks alive.
    """
    task = asyncio.create_task(work, name=name)
    running = lifetime.get()

    def ended(finished: asyncio.Task[None]) -> None:
        failure = None if finished.cancelled() else finished.exception()
        if failure is not None:
            _log.critical("background.failed", loop=name, exc_info=failure)
            if running is not None:
                running.fail(failure)

    task.add_done_callback(ended)
    stack.push_async_callback(_stopped, task)
    return task


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
