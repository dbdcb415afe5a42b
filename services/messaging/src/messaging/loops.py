"""The loops beside the pipeline: each a thin shell round a step that tests can call."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from messaging.ledger.partitions import Partitions

_log = logging.get(__name__)

Sweep = Callable[[datetime], Awaitable[int]]
Work: TypeAlias = Coroutine[Any, Any, None]
Sessions: TypeAlias = async_sessionmaker[AsyncSession]


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


def preparing(partitions: Partitions) -> Sweep:
    """Makes and drops partitions."""

    async def sweep(now: datetime) -> int:
        await partitions.prepare(now)
        return 0

    return sweep
