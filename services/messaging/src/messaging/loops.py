"""The loops beside the pipeline: each a thin shell round a step that tests can call."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from mesh.telemetry import logging

from messaging.direct import requests
from messaging.inbound import Inbound
from messaging.ledger.partitions import Partitions
from messaging.ledger.persistence import Pool

_log = logging.get(__name__)

Sweep = Callable[[datetime], Awaitable[int]]
Work: TypeAlias = Coroutine[Any, Any, None]

REQUESTS_KEPT = timedelta(days=7)
"""How long the same request id gives the same answer."""


async def sweep_forever(name: str, sweep: Sweep, idle_seconds: float) -> None:
    """Sweeps until cancelled, again at once while there is something to do."""
    while True:
        try:
            busy = await sweep(datetime.now(UTC)) > 0
        except Exception as error:
            # What was begun is rolled back, so the next sweep finds it again.
            _log.warning("sweep.failed", loop=name, error=repr(error))
            busy = False
        if not busy:
            await asyncio.sleep(idle_seconds)


def housekeeping(pool: Pool, partitions: Partitions, inbound: Inbound) -> Sweep:
    """Makes and drops partitions, and forgets what is too old to matter."""

    async def sweep(now: datetime) -> int:
        await partitions.prepare(now)
        await requests.purge(pool, now - REQUESTS_KEPT)
        await inbound.purge(now)
        return 0

    return sweep
