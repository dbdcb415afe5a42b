"""All members by key, a page at a time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from heliograph.audience.v1 import segment_filter_pb2 as pb

from audience.segments import queries
from audience.segments.prefetching import ahead
from audience.segments.sprinting import Sprint
from audience.segments.windows import Windows

READ_AT_ONCE: Final = 5_000
FEW_AMONG: Final = 5
"""Members are few where not one endpoint in so many is one: sorting them costs little."""
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

    async def pages(self, after: str, size: int) -> Pages:
        """The first page comes as soon as it can, along the key. Where members are few, one
        statement tells the rest while its reader keeps up: it reads the table as it lies."""
        rows = await self._page(after, size)
        if rows:
            yield rows
        if len(rows) < size:
            return
        before, after = after, rows[-1][0]
        if not self.sprints.locked() and await self._are_few(size, before, after):
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

    async def _page(self, after: str, limit: int) -> Rows:
        return await queries.page(*self._asked, after=after, limit=limit, read_time=self.read_time)

    async def _onwards(self, after: str, limit: int) -> Pages:
        found = queries.onwards(*self._asked, after=after, limit=limit, read_time=self.read_time)
        async with self.sprints, aclosing(found) as pages:
            async for rows in pages:
                yield rows

    async def _are_few(self, size: int, after: str, last: str) -> bool:
        """Whether a page of members lay among many endpoints that are none."""
        many = size * FEW_AMONG
        return await queries.are_more_than(
            self.pool, self.application, many, after=after, last=last
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
