"""Whom an export is about: the members of a segment, or everybody, in pages by endpoint id."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Final, Protocol

from heliograph.audience.v1 import segment_filter_pb2
from heliograph.audience.v1 import segment_service_pb2 as service_pb

from audience.endpoints import rendering
from audience.endpoints.queries import Pool
from audience.moments import timestamp
from audience.segments import queries

PAGE_SIZE: Final = 1000

_ALL: Final = segment_filter_pb2.FilterGroup(operator=segment_filter_pb2.FilterGroup.ALL)
_EVERYBODY: Final = segment_filter_pb2.SegmentFilter(group=_ALL)


class Segments(Protocol):
    """Answers about a segment, as the segment service does."""

    async def CountSegment(
        self, request: service_pb.CountSegmentRequest, context: None
    ) -> service_pb.CountSegmentResponse: ...

    def StreamMembers(
        self, request: service_pb.StreamMembersRequest, context: None
    ) -> AsyncIterator[service_pb.MemberPage]: ...


class Members:
    """The members of segments; an empty segment name stands for the whole audience."""

    def __init__(self, segments: Segments, pool: Pool, *, page_size: int = PAGE_SIZE) -> None:
        self._segments = segments
        self._pool = pool
        self._page_size = page_size

    async def count(self, application: str, segment: str) -> int:
        """How many there are now."""
        if not segment:
            rows = await queries.counts(self._pool, application, _EVERYBODY)
            return sum(row[1] for row in rows)
        request = service_pb.CountSegmentRequest(name=segment)
        return (await self._segments.CountSegment(request, None)).total

    def pages(
        self, application: str, segment: str, *, after: str, read_time: datetime
    ) -> AsyncGenerator[service_pb.MemberPage, None]:
        """Those after an endpoint that were created by `read_time`."""
        if segment:
            return self._of_segment(segment, after, read_time)
        return self._everybody(application, after, read_time)

    async def _of_segment(
        self, segment: str, after: str, read_time: datetime
    ) -> AsyncGenerator[service_pb.MemberPage, None]:
        request = service_pb.StreamMembersRequest(
            name=segment, page_size=self._page_size, after=after, read_time=timestamp(read_time)
        )
        async for page in self._segments.StreamMembers(request, None):
            yield page

    async def _everybody(
        self, application: str, after: str, read_time: datetime
    ) -> AsyncGenerator[service_pb.MemberPage, None]:
        while rows := await queries.page(
            self._pool,
            application,
            _EVERYBODY,
            after=after,
            limit=self._page_size,
            read_time=read_time,
        ):
            after = rows[-1][0]
            yield service_pb.MemberPage(
                endpoints=[rendering.message(application, row) for row in rows], last=after
            )
