"""Single writes that come at the same time, stored together: one transaction for all of them.

A call that comes alone is written at once. Groups are of one application, so that an application
whose import holds it up holds up nobody else.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

from heliograph.audience.v1 import endpoint_pb2 as pb
from mesh.errors import Error
from mesh.rpc.failures import as_error
from mesh.store import engine
from mesh.store.group_commit import GroupCommit
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.endpoints import rendering
from audience.endpoints.announcing import announce
from audience.endpoints.patches import Patch
from audience.endpoints.writing import SMALL_WRITE_MAX, write_few

LINGER_SECONDS: Final = 0.005
"""About what the steps of a group take: a busy service does less for waiting."""

ALONE_AT_ONCE_MAX: Final = 4
ALONE_SECONDS_MAX: Final = 10.0

Answer: TypeAlias = pb.Endpoint | Exception


class Updates:
    """Writes single endpoints; of two writes to the same one, the later call's is the later."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        now: Callable[[], datetime],
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._linger_seconds = linger_seconds
        self._groups: dict[str, GroupCommit[Patch, Answer]] = {}

    async def write(self, application: str, patch: Patch) -> pb.Endpoint:
        """The endpoint as it was stored; raises what this write is refused for, or failed by."""
        if application not in self._groups:
            self._groups[application] = GroupCommit(
                partial(self._write_group, application),
                size_max=SMALL_WRITE_MAX,
                linger_seconds=self._linger_seconds,
            )
        answer = await self._groups[application].submit(patch)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _write_group(self, application: str, patches: Sequence[Patch]) -> Sequence[Answer]:
        """All in one transaction, or each in its own if that fails by one of them."""
        try:
            return await self._store(application, patches)
        except Exception as failure:
            # Whether a commit that was cut off has happened nobody knows: it is not repeated.
            if len(patches) == 1 or as_error(failure).code in ("UNAVAILABLE", "NOT_FOUND"):
                raise
            return await self._write_each(application, patches, failure)

    async def _write_each(
        self, application: str, patches: Sequence[Patch], failure: Exception
    ) -> Sequence[Answer]:
        """In their order where it matters: writes to the same endpoint go after each other."""
        answers: dict[int, Answer] = {}
        free = asyncio.Semaphore(ALONE_AT_ONCE_MAX)

        async def in_turn(indexes: Sequence[int]) -> None:
            async with free:
                for index in indexes:
                    answers[index] = await self._write_alone(application, patches[index])

        by_endpoint: dict[str, list[int]] = {}
        for index, patch in enumerate(patches):
            by_endpoint.setdefault(patch.endpoint, []).append(index)
        tasks = [asyncio.create_task(in_turn(indexes)) for indexes in by_endpoint.values()]
        _, late = await asyncio.wait(tasks, timeout=ALONE_SECONDS_MAX)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [answers.get(index, failure) for index in range(len(patches))]

    async def _write_alone(self, application: str, patch: Patch) -> Answer:
        try:
            (answer,) = await self._store(application, [patch])
        except Exception as failure:
            return failure
        return answer

    async def _store(self, application: str, patches: Sequence[Patch]) -> Sequence[Answer]:
        now = self._now()
        async with self._sessions.begin() as session:
            connection = await engine.raw(session)
            batch, outcomes = await write_few(connection, application, patches, now)
            announce(session, application, batch, now, "api")
        return [
            one if isinstance(one, Error) else rendering.stored(application, batch, one)
            for one in outcomes
        ]
