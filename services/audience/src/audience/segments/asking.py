"""The questions about members: count, preview, check and stream, each by the one condition."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from heliograph.audience.v1 import segment_filter_pb2
from heliograph.audience.v1 import segment_service_pb2 as service_pb
from mesh.aip import pagination
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import channels, metrics, names
from audience.applications import store as applications_store
from audience.consent import reach
from audience.endpoints import rendering
from audience.endpoints.queries import Pool
from audience.segments import behaviours, checks, queries, scanning, sources, store
from audience.segments.behaviours import Window
from audience.segments.prefetching import ahead, following
from audience.segments.sets import Analytics
from audience.segments.windows import Windows

PREVIEW_SIZE_DEFAULT: Final = 20
PREVIEW_SIZE_MAX: Final = 1000
STREAM_PAGE_DEFAULT: Final = 1000
STREAM_PAGE_MAX: Final = 5000


@dataclass(frozen=True)
class WindowSizes:
    """Endpoints whose behaviour is known at once; those that are counted cost the least memory."""

    count: int = 20_000
    stream: int = 5_000
    preview: int = 2_000


WINDOW_SIZES: Final = WindowSizes()


class Asking:
    """The half of SegmentService that reads endpoints."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        pool: Pool,
        analytics: Analytics,
        now: Callable[[], datetime],
        window_sizes: WindowSizes = WINDOW_SIZES,
    ) -> None:
        self._sessions = sessions
        self._pool = pool
        self._analytics = analytics
        self._now = now
        self._window_sizes = window_sizes
        # The other half is for whoever wants one row.
        self._sprints = asyncio.Semaphore(max(1, pool.get_max_size() // 2))

    async def CountSegment(
        self, request: service_pb.CountSegmentRequest, context: Any
    ) -> service_pb.CountSegmentResponse:
        application, question = await self._resolve(request.name)
        members, eligible = await self._counts(application, question)
        return service_pb.CountSegmentResponse(
            total=members.total(),
            eligible=eligible.total(),
            counts_by_channel={channels.NAMES[one]: members[one] for one in members},
            eligible_by_channel={channels.NAMES[one]: eligible[one] for one in +eligible},
        )

    async def PreviewSegment(
        self, request: service_pb.PreviewSegmentRequest, context: Any
    ) -> service_pb.PreviewSegmentResponse:
        if request.HasField("filter"):
            application = names.application_of(request.name, field="name")
            checks.check(application, request.filter, "filter")
            async with self._sessions() as session:
                question = await sources.resolved(session, application, request.filter, "filter")
        else:
            application, question = await self._resolve(request.name)
        page = pagination.Page(request, PREVIEW_SIZE_DEFAULT, PREVIEW_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        pages = self._pages(application, question, after, page.limit, self._window_sizes.preview)
        async with aclosing(pages):
            rows = await following(pages) or []
        async with self._sessions() as session:
            await applications_store.require_for(session, application, rows, page)
        rows, token = page.cut(rows, key=lambda row: [row[0]])
        endpoints = [rendering.message(application, row) for row in rows]
        return service_pb.PreviewSegmentResponse(
            endpoints=endpoints,
            next_page_token=token,
            out_of_reach=await reach.out_of_reach(self._pool, application, endpoints),
        )

    async def CheckMembers(
        self, request: service_pb.CheckMembersRequest, context: Any
    ) -> service_pb.CheckMembersResponse:
        application, question = await self._resolve(request.name)
        asked = names.endpoints_of(application, list(request.endpoints), field="endpoints")
        conditions = behaviours.conditions(question)
        windows = Windows(self._pool, self._analytics, application, conditions, self._now())
        window = await windows.among(asked)
        found = await queries.members(self._pool, application, question, window)
        return service_pb.CheckMembersResponse(
            members=[
                name
                for name, endpoint in zip(request.endpoints, asked, strict=True)
                if endpoint in found
            ]
        )

    async def StreamMembers(
        self, request: service_pb.StreamMembersRequest, context: Any
    ) -> AsyncIterator[service_pb.MemberPage]:
        application, question = await self._resolve(request.name)
        read_time = self._now()
        if request.HasField("read_time"):
            read_time = request.read_time.ToDatetime(tzinfo=UTC)
        size = min(request.page_size or STREAM_PAGE_DEFAULT, STREAM_PAGE_MAX)
        prefix = f"applications/{application}/endpoints/"
        window_size = self._window_sizes.stream
        found = self._pages(application, question, request.after, size, window_size, read_time)
        async with aclosing(ahead(found)) as pages:
            async for rows in pages:
                metrics.MEMBERS_STREAMED.inc(len(rows))
                # In a thread: a page takes milliseconds that other calls should not wait for.
                yield await asyncio.to_thread(_page, prefix, rows)

    async def _resolve(self, name: str) -> tuple[str, segment_filter_pb2.SegmentFilter]:
        async with self._sessions() as session:
            application, version, question = await store.resolve(session, name)
            return application, await sources.of_version(session, application, version, question)

    async def _counts(
        self, application: str, question: segment_filter_pb2.SegmentFilter
    ) -> tuple[Counter[int], Counter[int]]:
        """Members, and those that can be reached, by channel type."""
        members: Counter[int] = Counter()
        eligible: Counter[int] = Counter()
        async with aclosing(self._windows(application, question)) as windows:
            async for window in windows:
                rows = await queries.counts(self._pool, application, question, window)
                members.update({row[0]: row[1] for row in rows})
                eligible.update({row[0]: row[2] for row in rows})
        return members, eligible

    async def _windows(
        self, application: str, question: segment_filter_pb2.SegmentFilter
    ) -> AsyncGenerator[Window | None, None]:
        """What is counted at once: everything, unless it takes sets that come bit by bit."""
        conditions = behaviours.conditions(question)
        if not conditions:
            yield None
            return
        source = Windows(self._pool, self._analytics, application, conditions, self._now())
        async with aclosing(ahead(source.after("", self._window_sizes.count))) as windows:
            async for window in windows:
                yield window

    def _pages(
        self,
        application: str,
        question: segment_filter_pb2.SegmentFilter,
        after: str,
        size: int,
        window_size: int,
        read_time: datetime | None = None,
    ) -> scanning.Pages:
        conditions = behaviours.conditions(question)
        if not conditions:
            scan = scanning.Scan(self._pool, application, question, read_time, self._sprints)
            return scan.pages(after, size)
        windows = Windows(
            self._pool, self._analytics, application, conditions, read_time or self._now()
        )
        return scanning.windowed_pages(question, windows, after, size, window_size)


def _page(prefix: str, rows: Sequence[queries.Row]) -> service_pb.MemberPage:
    page = service_pb.MemberPage(last=rows[-1][0])
    add = page.endpoints.add
    for row in rows:
        rendering.made(add, prefix, row)
    return page
