"""TransferService: files into the audience; what takes them out is beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from google.longrunning import operations_pb2
from heliograph.audience.v1 import import_job_pb2 as pb
from heliograph.audience.v1 import transfer_service_pb2 as service_pb
from mesh.aip import operations, pagination, request_ids
from mesh.errors import Error, ResourceExhausted
from mesh.objects import sources
from mesh.objects.opening import Objects
from mesh.objects.sources import FileFacts
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.applications.directory import Directory
from audience.settings import Settings
from audience.transfers import export_jobs, formats, import_jobs, parts, rendering, uploads
from audience.transfers.calls import Calls
from audience.transfers.export_servicer import Exports
from audience.transfers.import_jobs import jobs
from audience.transfers.jobs import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX
from audience.transfers.members import Members

RETRY_AFTER_SECONDS = 10


class TransferServicer(Exports):
    """Import and export jobs; workers run them."""

    def __init__(
        self,
        settings: Settings,
        sessions: async_sessionmaker[AsyncSession],
        directory: Directory,
        members: Members,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._directory = directory
        self._members = members
        self._now = now
        self._imports = Calls(import_jobs.jobs, sessions, directory, now)
        self._exports = Calls(export_jobs.jobs, sessions, directory, now)
        self._objects = Objects(settings.object_stores)
        # Each holds a connection for as long as it lasts.
        self._uploads = asyncio.Semaphore(settings.uploads_max)

    async def ImportEndpoints(
        self, request: service_pb.ImportEndpointsRequest, context: Any
    ) -> operations_pb2.Operation:
        application = names.application_of(request.parent)
        formats.check_spec(request.spec)
        await self._directory.require(application)
        files = await self._files(application, request)

        async def answer() -> operations_pb2.Operation:
            job = await import_jobs.create(
                session,
                application,
                request.spec,
                self._now(),
                source=request.uri or request.path,
                files=files,
                is_folder=(request.uri or request.path).endswith("/"),
            )
            return operations.render(await operations.get(session, job.operation))

        async with self._sessions.begin() as session:
            return await request_ids.once(session, request, application, answer)

    async def _files(
        self, application: str, request: service_pb.ImportEndpointsRequest
    ) -> list[FileFacts]:
        if request.uri.endswith("/"):
            return await parts.find(self._objects, application, request.uri, request.spec.format)
        if request.uri:
            return [await sources.find_object(self._objects, application, request.uri)]
        asked = (self._settings.import_folder, application, request.path)
        if request.path.endswith("/"):
            return await asyncio.to_thread(parts.find_files, *asked, request.spec.format)
        return [await asyncio.to_thread(sources.find, *asked)]

    async def UploadEndpoints(
        self, requests: AsyncIterator[service_pb.UploadEndpointsRequest], context: Any
    ) -> operations_pb2.Operation:
        opening = await uploads.first(requests)
        application = names.application_of(opening.parent)
        header = opening.header
        formats.check_spec(header.spec)
        await self._directory.require(application)

        async def answer() -> operations_pb2.Operation:
            job = await import_jobs.create(
                session, application, header.spec, self._now(), source=header.file_name
            )
            bytes_max = self._settings.upload_bytes_max
            await uploads.store(session, job, requests, opening.parent, bytes_max)
            await operations.update(session, job.operation, rendering.import_job(job))
            return operations.render(await operations.get(session, job.operation))

        if self._uploads.locked():
            raise _busy(self._settings.uploads_max)
        async with self._uploads, self._sessions.begin() as session:
            return await request_ids.once(session, header, application, answer)

    async def GetImportJob(
        self, request: service_pb.GetImportJobRequest, context: Any
    ) -> pb.ImportJob:
        return await self._imports.get(request.name)

    async def ListImportJobs(
        self, request: service_pb.ListImportJobsRequest, context: Any
    ) -> service_pb.ListImportJobsResponse:
        jobs, token = await self._imports.page(request)
        return service_pb.ListImportJobsResponse(import_jobs=jobs, next_page_token=token)

    async def PauseImportJob(
        self, request: service_pb.PauseImportJobRequest, context: Any
    ) -> pb.ImportJob:
        return await self._imports.pause(request.name)

    async def ResumeImportJob(
        self, request: service_pb.ResumeImportJobRequest, context: Any
    ) -> pb.ImportJob:
        return await self._imports.resume(request.name)

    async def CancelImportJob(
        self, request: service_pb.CancelImportJobRequest, context: Any
    ) -> pb.ImportJob:
        return await self._imports.cancel(request.name)

    async def ListImportFailures(
        self, request: service_pb.ListImportFailuresRequest, context: Any
    ) -> service_pb.ListImportFailuresResponse:
        application, import_job = jobs.ids(request.parent, "parent")
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = int(page.after[0] or 0) if page.after else 0
        async with self._sessions() as session:
            await jobs.get(session, application, import_job)
            rows = await import_jobs.failures(
                session, application, import_job, after=after, limit=page.limit
            )
            places = await parts.places(session, application, import_job)
        rows, token = page.cut(rows, key=lambda row: [row.line])
        return service_pb.ListImportFailuresResponse(
            import_failures=[rendering.import_failure(row, places) for row in rows],
            next_page_token=token,
        )


def _busy(uploads_max: int) -> Error:
    return ResourceExhausted(
        "UPLOADS_TOO_MANY",
        f"{uploads_max} uploads are under way",
        retry_after_seconds=RETRY_AFTER_SECONDS,
        uploads_max=str(uploads_max),
    )
