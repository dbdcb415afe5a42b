"""The questions about members: count, preview, check and stream, each by the one condition."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, Final

from heliograph.audience.v1 import segment_filter_pb2
from heliograph.audience.v1 import segment_service_pb2 as service_pb
from mesh.aip import pagination
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import channels, names
from audience.endpoints import rendering
from audience.endpoints.queries import Pool
from audience.segments import checks, queries, store

PREVIEW_SIZE_DEFAULT: Final = 20
PREVIEW_SIZE_MAX: Final = 1000
STREAM_PAGE_DEFAULT: Final = 1000
STREAM_PAGE_MAX: Final = 5000


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
        prefix = f"applications/{application}/endpoints/"
        after = request.after
        while True:
            rows = await queries.page(
                self._pool, application, question, after=after, limit=size, read_time=read_time
            )
            if rows:
                after = rows[-1][0]
                yield _page(prefix, rows, after)
            if len(rows) < size:
                return

    async def _resolve(self, name: str) -> tuple[str, segment_filter_pb2.SegmentFilter]:
        async with self._sessions() as session:
            return await store.resolve(session, name)


def _page(prefix: str, rows: Any, last: str) -> service_pb.MemberPage:
    page = service_pb.MemberPage(last=last)
    add, arguments = page.endpoints.add, rendering.arguments
    for row in rows:
        add(**arguments(prefix, row))
    return page
