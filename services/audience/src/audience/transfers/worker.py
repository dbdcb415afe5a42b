"""The loop that runs jobs of one kind. Any number of replicas may run it: a job has one worker.

The lock on a job belongs to the worker's connection, so that it is free at once when the worker
dies, and another one goes on from the job's last committed line.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from mesh import worker
from mesh.store import claims
from mesh.store.notifications import Listener
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

Jobs = Sequence[tuple[str, str]]
"""Application and id of each."""

POLL_SECONDS: Final = 2.0
CANDIDATES_MAX: Final = 50


class Kind(NamedTuple):
    """A kind of jobs: `name` is `import` or `export`, `channel` is notified when there is one."""

    name: str
    channel: str
    waiting: Callable[[AsyncSession, int], Awaitable[Jobs]]
    """Open jobs, oldest first, at most so many."""
    run: Callable[[str, str], Awaitable[None]]
    """Bring a job to its end; raises what may pass, and the job stays open."""


class Worker:
    """Runs one job after another."""

    def __init__(
        self,
        database_url: str,
        sessions: async_sessionmaker[AsyncSession],
        kind: Kind,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._database_url = database_url
        self._sessions = sessions
        self._kind = kind
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Run jobs until cancelled, woken when one is made."""
        async with Listener(self._database_url, self._kind.channel) as listener:
            await worker.run(
                f"{self._kind.name}s",
                self.step,
                poll_seconds=self._poll_seconds,
                woken=listener,
                backoff=worker.COUNTED,
            )

    async def step(self) -> bool:
        """Run the oldest job that nobody runs; false when there is none.

        Raises what stopped the job if it may pass; the job stays open.
        """
        async with self._sessions() as session:
            open_jobs = await self._kind.waiting(session, CANDIDATES_MAX)
        name = self._kind.name
        async with claims.first(
            self._database_url, name, open_jobs, f"audience-{name}-lock"
        ) as job:
            if job is not None:
                await self._kind.run(*job)
        return job is not None
