"""The loop of every worker: on while there is something to do, then at rest until it is woken."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from mesh.backoff import Backoff
from mesh.errors import Error
from mesh.store import failures
from mesh.telemetry import logging
from mesh.waking import Waiting, Wakeup

RETRY_SECONDS: Final = 0.1
RETRY_SECONDS_MAX: Final = 30.0
COUNTED: Final = Backoff(first_seconds=4.0, max_seconds=4.0)
"""For work that is given up after some attempts: what it needs may be away for a while."""

Step: TypeAlias = Callable[[], Awaitable[int | None]]
"""A part of the work, small enough to be begun again; true when there may be more to do at once."""

_log = logging.get(__name__)


async def run(
    name: str,
    step: Step,
    *,
    poll_seconds: float,
    woken: Waiting | None = None,
    backoff: Backoff | None = None,
) -> None:
    """Do steps until cancelled, and rest after one that found nothing: until `woken` while it was
    at work or since, or at most `poll_seconds`.

    A step that fails is logged and done again after a delay that grows, by default from a tenth of
    a second up to the poll or half a minute; a wake makes it no shorter. What a step has begun must
    stand where the next one finds it.
    """
    backoff = backoff or Backoff(RETRY_SECONDS, min(poll_seconds, RETRY_SECONDS_MAX))
    woken = woken or Wakeup()
    failed = 0
    while True:
        try:
            busy = await step()
        except Exception as error:
            failed += 1
            _tell(name, error, failed)
            _heed_cancellation()
            await asyncio.sleep(backoff.after(failed))
            continue
        _heed_cancellation()
        failed = 0
        if not busy:
            await woken.wait(poll_seconds)


def _heed_cancellation() -> None:
    """`asyncio.wait_for`, before Python 3.12, forgets a cancellation that comes together with what
    it waits for, and so does whoever uses it: the step ends as if nothing had been said."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _tell(name: str, error: Exception, failed: int) -> None:
    """Where it failed is of interest only when nobody foresaw the failure."""
    foreseen = isinstance(error, Error) or failures.is_transient(error)
    _log.warning(
        "worker.failed", worker=name, failed=failed, error=repr(error), exc_info=not foreseen
    )
