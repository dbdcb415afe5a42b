"""The half of TransferService that takes endpoints out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any

from google.longrunning import operations_pb2
from heliograph.audience.v1 import export_job_pb2 as pb
from heliograph.audience.v1 import transfer_service_pb2 as service_pb
from mesh.aip import operations, request_ids, resource_names
from mesh.objects import targets
from mesh.objects.opening import Objects
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import metrics, names
from audience.applications.directory import Directory
from audience.segments import store as segments_store
from audience.settings import Settings
from audience.tables import ExportJobRow
from audience.transfers import export_jobs
from audience.transfers.calls import Calls
from audience.transfers.members import Members


class Exports:
    """Export jobs, which workers run, and exports as a stream."""

    _settings: Settings
    _sessions: async_sessionmaker[AsyncSession]
    _directory: Directory
    _now: Callable[[], datetime]
    _members: Members
    _objects: Objects
    _exports: Calls[ExportJobRow, pb.ExportJob]

    async def ExportEndpoints(
        self, request: service_pb.ExportEndpointsRequest, context: Any
    ) -> operations_pb2.Operation:
        application = names.application_of(request.parent)
        await self._directory.require(application)

        async def answer() -> operations_pb2.Operation:
            segment = await _pinned(session, application, request.spec.segment, "spec.segment")
            path = await self._target(application, request)
            job = await export_jobs.create(
                *(session, application, request.spec, self._now()),
                segment=segment,
                target=request.uri or request.path,
                path=path,
            )
            return operations.render(await operations.get(session, job.operation))

        async with self._sessions.begin() as session:
            return await request_ids.once(session, request, application, answer)

    async def _target(self, application: str, request: service_pb.ExportEndpointsRequest) -> str:
        if request.uri:
            return await targets.find_objects(self._objects, application, request.uri)
        folder = self._settings.export_folder
        return str(await asyncio.to_thread(targets.find, folder, application, request.path))

    async def StreamExport(
        self, request: service_pb.StreamExportRequest, context: Any
    ) -> AsyncIterator[service_pb.StreamExportResponse]:
        application = names.application_of(request.parent)
        await self._directory.require(application)
        async with self._sessions() as session:
            segment = await _pinned(session, application, request.segment, "segment")
        pages = self._members.pages(
            application, segment, after=request.after, read_time=self._now()
        )
        async with aclosing(pages):
            async for page in pages:
                metrics.ENDPOINTS_EXPORTED.inc(len(page.endpoints))
                yield service_pb.StreamExportResponse(endpoints=page.endpoints, last=page.last)

    async def GetExportJob(
        self, request: service_pb.GetExportJobRequest, context: Any
    ) -> pb.ExportJob:
        return await self._exports.get(request.name)

    async def ListExportJobs(
        self, request: service_pb.ListExportJobsRequest, context: Any
    ) -> service_pb.ListExportJobsResponse:
        jobs, token = await self._exports.page(request)
        return service_pb.ListExportJobsResponse(export_jobs=jobs, next_page_token=token)

    async def PauseExportJob(
        self, request: service_pb.PauseExportJobRequest, context: Any
    ) -> pb.ExportJob:
        return await self._exports.pause(request.name)

    async def ResumeExportJob(
        self, request: service_pb.ResumeExportJobRequest, context: Any
    ) -> pb.ExportJob:
        return await self._exports.resume(request.name)

    async def CancelExportJob(
        self, request: service_pb.CancelExportJobRequest, context: Any
    ) -> pb.ExportJob:
        return await self._exports.cancel(request.name)


async def _pinned(session: AsyncSession, application: str, segment: str, field: str) -> str:
    """The version of a segment that an export is about; empty for the whole audience."""
    if not segment:
        return ""
    ids = resource_names.match(names.SEGMENT_VERSION, segment)
    if ids is None:
        ids = {**resource_names.parse(names.SEGMENT, segment, field=field), "version": ""}
    names.refuse_mismatch(application, ids["application"], field)
    row = await segments_store.get(session, application, ids["segment"])
    version = ids["version"] or str(row.version)
    number = segments_store.parsed_version(segment, version)
    await segments_store.version(session, application, row.segment, number)
    return resource_names.format(names.SEGMENT_VERSION, **{**ids, "version": version})
