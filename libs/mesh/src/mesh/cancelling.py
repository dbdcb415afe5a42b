"""Ending a task for good, whatever it waits for.

Client libraries, and `asyncio.wait_for` before Python 3.12, forget a cancellation that comes in the
moment in which what they wait for succeeds or fails; the task goes on as if nothing had been said.
"""

import asyncio
from typing import Any

from mesh.telemetry import logging

ATTEMPTS_MAX = 5
WAIT_SECONDS = 0.5

_log = logging.get(__name__)


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel, again if need be, and return when the task has ended, however it did."""
    for _ in range(ATTEMPTS_MAX):
        task.cancel()
        done, _pending = await asyncio.wait([task], timeout=WAIT_SECONDS)
        if done:
            return
    _log.error("task does not end", task=task.get_name())
