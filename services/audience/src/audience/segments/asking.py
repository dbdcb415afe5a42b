"""The questions about members: count, preview, check and stream, each by the one condition."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

from heliograph.audience.v1 import segment_filter_pb2
from heliograph.audience.v1 import segment_service_pb2 as service_pb
from mesh.aip import pagination
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import channels, metrics, names
from audience.endpoints import rendering
from audience.endpoints.queries import Pool
from audience.segments import checks, queries, store

PREVIEW_SIZE_DEFAULT: Final = 20
PREVIEW_SIZE_MAX: Final = 1000
STREAM_PAGE_DEFAULT: Final = 1000
STREAM_PAGE_MAX: Final = 5000

Ask: TypeAlias = Callable[..., Awaitable[Sequence[queries.Row]]]


class Asking:
    """The half of SegmentService that reads endpoints."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        pool: Pool,
        now: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._pool = pool
        self._now = now

    async def CountSegment(
        self, request: service_pb.CountSegmentRequest, context: Any
    ) -> service_pb.CountSegmentResponse:
        application, question = await self._resolve(request.name)
        rows = await queries.counts(self._pool, application, question)
        return service_pb.CountSegmentResponse(
            total=sum(row[1] for row in rows),
            eligible=sum(row[2] for row in rows),
            counts_by_channel={channels.NAMES[row[0]]: row[1] for row in rows},
            eligible_by_channel={channels.NAMES[row[0]]: row[2] for row in rows if row[2]},
        )

    async def PreviewSegment(
        self, request: service_pb.PreviewSegmentRequest, context: Any
    ) -> service_pb.PreviewSegmentResponse:
        if request.HasField("filter"):
            application = names.application_of(request.name, field="name")
            checks.check(request.filter, "filter")
            question = request.filter
        else:
            application, question = await self._resolve(request.name)
        page = pagination.Page(request, PREVIEW_SIZE_DEFAULT, PREVIEW_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        rows = await queries.page(self._pool, application, question, after=after, limit=page.limit)
        rows, token = page.cut(rows, key=lambda row: [row[0]])
        return service_pb.PreviewSegmentResponse(
            endpoints=[rendering.message(application, row) for row in rows], next_page_token=token
        )

    async def CheckMembers(
        self, request: service_pb.CheckMembersRequest, context: Any
    ) -> service_pb.CheckMembersResponse:
        application, question = await self._resolve(request.name)
        asked = names.endpoints_of(application, list(request.endpoints), field="endpoints")
        found = await queries.members(self._pool, application, question, asked)
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
        ask = partial(queries.page, self._pool, application, question, limit=size)
        prefix = f"applications/{application}/endpoints/"
        async with aclosing(
            _ahead(partial(ask, read_time=read_time), request.after, size)
        ) as pages:
            async for rows in pages:
                metrics.MEMBERS_STREAMED.inc(len(rows))
                # In a thread: a page takes milliseconds that other calls should not wait for.
                yield await asyncio.to_thread(_page, prefix, rows)

    async def _resolve(self, name: str) -> tuple[str, segment_filter_pb2.SegmentFilter]:
        async with self._sessions() as session:
            return await store.resolve(session, name)


async def _ahead(ask: Ask, after: str, size: int) -> AsyncGenerator[Sequence[queries.Row], None]:
    """Page after page, the next one asked for while the consumer is busy with this one."""
    asking = asyncio.ensure_future(ask(after=after))
    try:
        while rows := await asking:
            if len(rows) < size:
                yield rows
                return
            asking = asyncio.ensure_future(ask(after=rows[-1][0]))
            yield rows
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def _page(prefix: str, rows: Sequence[queries.Row]) -> service_pb.MemberPage:
    page = service_pb.MemberPage(last=rows[-1][0])
    add, arguments = page.endpoints.add, rendering.arguments
    for row in rows:
        add(**arguments(prefix, row))
    return page
