"""The thin shell round a step: one after the other, with a rest when there is nothing to do."""

import asyncio
from collections.abc import Awaitable, Callable

from mesh.telemetry import logging

log = logging.get(__name__)

Step = Callable[[], Awaitable[bool]]


async def forever(name: str, step: Step, idle_seconds: float) -> None:
    """Do steps until cancelled; a step says whether there may be more to do at once."""
    while True:
        try:
            busy = await step()
        except Exception:
            # What a step has begun stands in the database, so that the next one goes on with it.
            log.exception("step failed", loop=name)
            busy = False
        if not busy:
            await asyncio.sleep(idle_seconds)
