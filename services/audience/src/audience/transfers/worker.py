"""The loop that runs import jobs. Any number of replicas may run it: a job has one worker.

The lock on a job belongs to the worker's connection, so that it is free at once when the worker
dies, and another one goes on from the job's last committed line.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import asyncpg
from mesh.store import engine
from mesh.store.notifications import Listener
from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.transfers import jobs
from audience.transfers.importing import Import

POLL_SECONDS: Final = 2.0
CANDIDATES_MAX: Final = 50
CONNECT_TIMEOUT_SECONDS: Final = 10
IDLE_STATEMENT_TIMEOUT_SECONDS: Final = 30.0

_TRY_LOCK: Final = "SELECT pg_try_advisory_lock($1)"
_UNLOCK: Final = "SELECT pg_advisory_unlock($1)"

_log = logging.get(__name__)


class Worker:
    """Runs one job after another."""

    def __init__(
        self,
        database_url: str,
        sessions: async_sessionmaker[AsyncSession],
        now: Callable[[], datetime],
    ) -> None:
        self._database_url = database_url
        self._sessions = sessions
        self._import = Import(sessions, now)

    async def run(self) -> None:
        """Run jobs until cancelled, woken when one is made."""
        async with Listener(self._database_url, jobs.CHANNEL) as listener:
            while True:
                if not await self._quiet_step():
                    await listener.wait(POLL_SECONDS)

    async def step(self) -> bool:
        """Run the oldest job that nobody runs; false when there is none.

        Raises what stopped the job if it may pass; the job stays open.
        """
        async with self._sessions() as session:
            open_jobs = await jobs.waiting(session, CANDIDATES_MAX)
        if not open_jobs:
            return False
        connection = await self._connect()
        try:
            for application, import_job in open_jobs:
                if await connection.fetchval(_TRY_LOCK, _key(application, import_job)):
                    await self._import.run(application, import_job)
                    await connection.execute(_UNLOCK, _key(application, import_job))
                    return True
        finally:
            await connection.close()
        return False

    async def _quiet_step(self) -> bool:
        """Whether there may be more to do at once."""
        try:
            return await self.step()
        except Exception as error:
            # The job is still open, so going on is all there is to do; its attempts are counted.
            _log.warning("import.interrupted", error=repr(error))
            await asyncio.sleep(POLL_SECONDS)
            return False

    async def _connect(self) -> Any:
        return await asyncpg.connect(
            self._database_url,
            timeout=CONNECT_TIMEOUT_SECONDS,
            server_settings=engine.limits(
                IDLE_STATEMENT_TIMEOUT_SECONDS, 0, "audience-import-lock"
            ),
        )


def _key(application: str, import_job: str) -> int:
    digest = hashlib.blake2b(f"import {application} {import_job}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
