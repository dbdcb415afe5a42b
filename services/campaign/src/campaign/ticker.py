"""The loop that begins runs that are due; any replica may tick."""

from collections.abc import Callable
from datetime import datetime

from mesh.eventing import outbox
from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import campaigns, names, store

log = logging.get(__name__)

BATCH_MAX = 50


async def tick(sessions: async_sessionmaker[AsyncSession], now: Callable[[], datetime]) -> bool:
    """Begin the runs that are due, up to `BATCH_MAX`; false when there was none.

    Run, next time and announcement are one transaction: a crash leaves all of them or none.
    """
    async with sessions.begin() as session:
        due = await store.lock_due(session, now(), BATCH_MAX)
        for row in due:
            if campaigns.skip_run(row, now()):
                log.warning("run skipped", campaign=names.campaign_name(row))
                continue
            run, started = campaigns.begin_run(row, now())
            session.add(run)
            outbox.publish(session, started, row.application)
    return bool(due)
