"""ApplicationService: open, get, ask, publish, commit, render."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from google.longrunning import operations_pb2
from heliograph.audience.v1 import application_pb2 as pb
from heliograph.audience.v1 import application_service_pb2 as service_pb
from heliograph.audience.v1 import events_pb2
from mesh.aip import etags, field_masks, pagination, request_ids
from mesh.errors import AlreadyExists
from mesh.eventing import outbox
from mesh.rpc import auth
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.applications import deletion, rendering, settings, store
from audience.tables import ApplicationRow

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1000


class ApplicationServicer:
    """The tenants. `deleted` is called when one was buried."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        now: Callable[[], datetime],
        deleted: Callable[[], Awaitable[None]],
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._deleted = deleted

    async def GetApplication(
        self, request: service_pb.GetApplicationRequest, context: Any
    ) -> pb.Application:
        application = names.application_of(request.name, field="name")
        async with self._sessions() as session:
            return rendering.application(await store.get(session, application))

    async def ListApplications(
        self, request: service_pb.ListApplicationsRequest, context: Any
    ) -> service_pb.ListApplicationsResponse:
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.page(session, auth.caller(), after=after, limit=page.limit)
        rows, token = page.cut(rows, key=lambda row: [row.application])
        return service_pb.ListApplicationsResponse(
            applications=map(rendering.application, rows), next_page_token=token
        )

    async def CreateApplication(
        self, request: service_pb.CreateApplicationRequest, context: Any
    ) -> pb.Application:
        settings.check(request.application)

        async def answer() -> pb.Application:
            return await self._create(session, request)

        async with self._sessions.begin() as session:
            return await request_ids.once(session, request, request.application_id, answer)

    async def UpdateApplication(
        self, request: service_pb.UpdateApplicationRequest, context: Any
    ) -> pb.Application:
        application = names.application_of(request.application.name, field="application.name")
        async with self._sessions.begin() as session:
            row = await store.get(session, application, lock=True)
            etags.check(row.revision, request.application.etag)
            changed = rendering.application(row)
            field_masks.apply(request.update_mask, request.application, changed)
            settings.check(changed)
            row.display_name, row.labels = changed.display_name, dict(changed.labels)
            row.settings = changed.settings.SerializeToString(deterministic=True)
            row.update_time, row.revision = self._now(), row.revision + 1
            resource = rendering.application(row)
            event = events_pb2.ApplicationUpdated(application=application, resource=resource)
            outbox.publish(session, event, application)
        return resource

    async def DeleteApplication(
        self, request: service_pb.DeleteApplicationRequest, context: Any
    ) -> operations_pb2.Operation:
        application = names.application_of(request.name, field="name")
        async with self._sessions.begin() as session:
            operation = await deletion.delete(session, application, request.etag, self._now())
        await self._deleted()
        return operation

    async def _create(
        self, session: AsyncSession, request: service_pb.CreateApplicationRequest
    ) -> pb.Application:
        application, now = request.application_id, self._now()
        await deletion.refuse_buried(session, application)
        if await session.get(ApplicationRow, application) is not None:
            message = f"applications/{application} exists already"
            raise AlreadyExists("APPLICATION_EXISTS", message, application=application)
        row = ApplicationRow(
            application=application,
            display_name=request.application.display_name,
            labels=dict(request.application.labels),
            settings=request.application.settings.SerializeToString(deterministic=True),
            create_time=now,
            update_time=now,
        )
        session.add(row)
        await session.flush()
        resource = rendering.application(row)
        event = events_pb2.ApplicationCreated(application=application, resource=resource)
        outbox.publish(session, event, application)
        return resource
