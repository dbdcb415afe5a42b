"""SegmentService: open, get, ask, publish, commit, render."""

import uuid
from typing import Any

from google.protobuf import empty_pb2
from heliograph.audience.v1 import events_pb2
from heliograph.audience.v1 import segment_pb2 as pb
from heliograph.audience.v1 import segment_service_pb2 as service_pb
from mesh.aip import etags, field_masks, pagination, request_ids, resource_names
from mesh.errors import AlreadyExists
from mesh.eventing import outbox

from audience import names
from audience.applications import store as applications_store
from audience.moments import timestamp
from audience.segments import asking, rendering, segments, sources, store
from audience.tables import SegmentRow

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1000


class SegmentServicer(asking.Asking):
    """Segments, and who is in them."""

    async def GetSegment(self, request: service_pb.GetSegmentRequest, context: Any) -> pb.Segment:
        application, segment = names.segment_of(request.name)
        async with self._sessions() as session:
            row = await store.get(session, application, segment)
            newest = await store.version(session, application, segment, row.version)
            return rendering.segment(row, newest)

    async def ListSegments(
        self, request: service_pb.ListSegmentsRequest, context: Any
    ) -> service_pb.ListSegmentsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.page(session, application, after=after, limit=page.limit)
            await applications_store.require_for(session, application, rows, page)
        rows, token = page.cut(rows, key=lambda pair: [pair[0].segment])
        return service_pb.ListSegmentsResponse(
            segments=[rendering.segment(row, version) for row, version in rows],
            next_page_token=token,
        )

    async def CreateSegment(
        self, request: service_pb.CreateSegmentRequest, context: Any
    ) -> pb.Segment:
        application = names.application_of(request.parent)
        segments.check(application, request.segment)

        async def answer() -> pb.Segment:
            segment = request.segment_id or f"s{uuid.uuid4().hex}"
            await applications_store.get(session, application)
            if await session.get(SegmentRow, (application, segment)) is not None:
                name = f"{request.parent}/segments/{segment}"
                raise AlreadyExists("SEGMENT_EXISTS", f"{name} exists already", segment=name)
            await sources.check(session, application, segment, 1, request.segment.filter)
            row, version = segments.create(application, segment, request.segment, self._now())
            session.add(row)
            await session.flush()
            session.add(version)
            return rendering.segment(row, version)

        async with self._sessions.begin() as session:
            return await request_ids.once(session, request, application, answer)

    async def UpdateSegment(
        self, request: service_pb.UpdateSegmentRequest, context: Any
    ) -> pb.Segment:
        application, segment = names.segment_of(request.segment.name, field="segment.name")
        async with self._sessions.begin() as session:
            row = await store.get(session, application, segment, lock=True)
            etags.check(row.revision, request.segment.etag)
            current = await store.version(session, application, segment, row.version)
            before, changed = rendering.segment(row, current), rendering.segment(row, current)
            paths = field_masks.apply(request.update_mask, request.segment, changed)
            segments.check(application, changed, before)
            version = segments.update(row, changed, paths, self._now())
            if version is not None:
                number = version.version
                await sources.check(session, application, segment, number, changed.filter)
                session.add(version)
            return rendering.segment(row, version or current)

    async def DeleteSegment(
        self, request: service_pb.DeleteSegmentRequest, context: Any
    ) -> empty_pb2.Empty:
        application, segment = names.segment_of(request.name)
        async with self._sessions.begin() as session:
            row = await store.get(session, application, segment, lock=True)
            etags.check(row.revision, request.etag)
            await store.remove(session, row)
            event = events_pb2.SegmentDeleted(
                application=row.application,
                segment=request.name,
                delete_time=timestamp(self._now()),
            )
            outbox.publish(session, event, row.application)
        return empty_pb2.Empty()

    async def GetSegmentVersion(
        self, request: service_pb.GetSegmentVersionRequest, context: Any
    ) -> pb.SegmentVersion:
        ids = resource_names.parse(names.SEGMENT_VERSION, request.name)
        application, segment = ids["application"], ids["segment"]
        number = store.parsed_version(request.name, ids["version"])
        async with self._sessions() as session:
            version = await store.version(session, application, segment, number)
            return rendering.version(await store.get(session, application, segment), version)

    async def ListSegmentVersions(
        self, request: service_pb.ListSegmentVersionsRequest, context: Any
    ) -> service_pb.ListSegmentVersionsResponse:
        application, segment = names.segment_of(request.parent, field="parent")
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        before = int(page.after[0] or 0) if page.after else None
        async with self._sessions() as session:
            row = await store.get(session, application, segment)
            rows = await store.versions(
                session, application, segment, before=before, limit=page.limit
            )
        rows, token = page.cut(rows, key=lambda version: [version.version])
        return service_pb.ListSegmentVersionsResponse(
            versions=[rendering.version(row, version) for version in rows], next_page_token=token
        )
