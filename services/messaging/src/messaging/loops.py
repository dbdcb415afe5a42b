"""The loops beside the pipeline: each a thin shell round a step that tests can call."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from mesh.aip import request_ids
from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from messaging.direct import requests
from messaging.inbound import Inbound
from messaging.ledger import frontiers
from messaging.ledger.partitions import Partitions
from messaging.ledger.persistence import Pool

_log = logging.get(__name__)

Sweep = Callable[[datetime], Awaitable[int]]
Work: TypeAlias = Coroutine[Any, Any, None]
Sessions: TypeAlias = async_sessionmaker[AsyncSession]

REQUESTS_KEPT = timedelta(days=7)
"""How long the same request id gives the same answer."""

RUNS_KEPT = timedelta(days=60)
"""How long a cancelled run is known as one; its batches are gone from the bus long before."""

FRONTIERS_KEPT = timedelta(days=30)
"""How long it is known how far a batch had come; the bus keeps batches for less."""

_FORGET_RUNS = "DELETE FROM cancelled_runs WHERE create_time < $1"


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


def housekeeping(pool: Pool, sessions: Sessions, partitions: Partitions, inbound: Inbound) -> Sweep:
    """Makes and drops partitions, and forgets what is too old to matter."""

    async def sweep(now: datetime) -> int:
        await partitions.prepare(now)
        await requests.purge(pool, now - REQUESTS_KEPT)
        await inbound.purge(now)
        await frontiers.forget(pool, now - FRONTIERS_KEPT)
        await pool.execute(_FORGET_RUNS, now - RUNS_KEPT)
        async with sessions.begin() as session:
            await request_ids.purge(session, REQUESTS_KEPT)
        return 0

    return sweep
