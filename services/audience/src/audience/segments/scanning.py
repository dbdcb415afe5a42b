"""All members by key, a page at a time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from heliograph.audience.v1 import segment_filter_pb2 as pb

from audience.segments import lists, queries
from audience.segments.prefetching import ahead
from audience.segments.sprinting import Sprint
from audience.segments.windows import Windows

READ_AT_ONCE: Final = 5_000
FEW_AMONG: Final = 5
"""Members are few where not one endpoint in so many is one: sorting them costs little."""
LOOKED_AT_MAX: Final = 50_000
"""Endpoints that are looked at for a first page, a fifth of a second at worst."""
SPRINT_SECONDS_MAX: Final = 10.0
"""How long a connection, and what PostgreSQL keeps for it, may be held for one reader."""

Rows: TypeAlias = Sequence[queries.Row]
Pages: TypeAlias = AsyncGenerator[Rows, None]


@dataclass(frozen=True)
class Scan:
    """A question that endpoints alone answer, asked of all of them up to a read time."""

    pool: queries.Pool
    application: str
    question: pb.SegmentFilter
    read_time: datetime | None
    sprints: asyncio.Semaphore
    """As many as may hold a connection of the pool for long."""
    sprint_seconds_max: float = SPRINT_SECONDS_MAX
    looked_at_max: int = LOOKED_AT_MAX

    async def pages(self, after: str, size: int) -> Pages:
        """The first page comes along the key, if it is full soon; that tells how to go on."""
        # Lists are read along the key themselves, and end when they have nobody else.
        looked_at_max = None if lists.are_in(self.question) else self.looked_at_max
        rows = await self._page(after, size, looked_at_max)
        if len(rows) == size:
            yield rows
            before, after = after, rows[-1][0]
            are_few = await self._are_more_than(size * FEW_AMONG, before, after)
        # Half of them, as some of those that were not looked at may be gone by now.
        elif looked_at_max and await self._are_more_than(looked_at_max // 2, after):
            are_few = True
        else:
            if rows:
                yield rows
            return
        async with aclosing(self._rest(after, size, are_few)) as pages:
            async for rows in pages:
                yield rows

    async def _rest(self, after: str, size: int, are_few: bool) -> Pages:
        """Members that are few are told by one statement, while their reader keeps up."""
        if are_few and not self.sprints.locked():
            sprint = Sprint(self._onwards(after, size), self.sprint_seconds_max)
            async with aclosing(sprint.parts()) as parts:
                async for rows in parts:
                    yield rows
                    after = rows[-1][0]
            if sprint.is_whole:
                return
        async with aclosing(self._along(after, size)) as pages:
            async for rows in pages:
                yield rows

    async def _along(self, after: str, size: int) -> Pages:
        """More is read at once than a page: to begin anew costs more than to read on."""
        limit = max(size, READ_AT_ONCE // size * size)
        while rows := await self._page(after, limit):
            for begin in range(0, len(rows), size):
                yield rows[begin : begin + size]
            if len(rows) < limit:
                return
            after = rows[-1][0]

    async def _page(self, after: str, limit: int, looked_at_max: int | None = None) -> Rows:
        return await queries.page(
            *self._asked,
            after=after,
            limit=limit,
            read_time=self.read_time,
            looked_at_max=looked_at_max,
        )

    async def _onwards(self, after: str, limit: int) -> Pages:
        found = queries.onwards(*self._asked, after=after, limit=limit, read_time=self.read_time)
        async with self.sprints, aclosing(found) as pages:
            async for rows in pages:
                yield rows

    async def _are_more_than(self, count: int, after: str, last: str | None = None) -> bool:
        return await queries.are_more_than(
            self.pool, self.application, count, after=after, last=last
        )

    @property
    def _asked(self) -> tuple[queries.Pool, str, pb.SegmentFilter]:
        return self.pool, self.application, self.question


async def windowed_pages(
    question: pb.SegmentFilter, windows: Windows, after: str, size: int, window_size: int
) -> Pages:
    """Pages of a question about behaviour: the same SQL, asked of a window at a time."""
    held: list[queries.Row] = []
    async with aclosing(ahead(windows.after(after, window_size))) as found:
        async for window in found:
            held += await queries.members_in(
                windows.pool, windows.application, question, window, windows.read_time
            )
            while len(held) >= size:
                yield held[:size]
                held = held[size:]
    if held:
        yield held
