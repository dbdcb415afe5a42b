"""Ctrl-C and SIGTERM end what runs in good order; a second one ends it at once."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def interruptible(work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work` so that the first signal cancels it; raises CancelledError then."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def cancel(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, cancel, number)
    try:
        return await task
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
