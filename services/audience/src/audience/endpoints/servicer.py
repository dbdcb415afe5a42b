"""EndpointService: open, get, ask, publish, commit, render."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2
from heliograph.audience.v1 import endpoint_pb2 as pb
from heliograph.audience.v1 import endpoint_service_pb2 as service_pb
from mesh.aip import etags, operations, pagination, request_ids
from mesh.errors import Error, NotFound
from mesh.rpc import status
from mesh.store import engine
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.applications.directory import Directory
from audience.eligibility.eligibility import Eligibility
from audience.endpoints import addresses, checks, locks, queries, reading, rendering, store
from audience.endpoints.announcing import announce, announce_deleted
from audience.endpoints.batches import Batch
from audience.endpoints.patches import Patch
from audience.endpoints.queries import Pool
from audience.endpoints.streaming import Stream
from audience.endpoints.updates import Updates
from audience.endpoints.writing import Outcome, write_few
from audience.removals import jobs as removals

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1000


class EndpointServicer:
    """Endpoints one by one, in batches and in streams."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        pool: Pool,
        directory: Directory,
        eligibility: Eligibility,
        now: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._pool = pool
        self._directory = directory
        self._eligibility = eligibility
        self._now = now
        self._updates = Updates(sessions, now)

    async def GetEndpoint(
        self, request: service_pb.GetEndpointRequest, context: Any
    ) -> pb.Endpoint:
        return await self._read(request.name)

    async def ListEndpoints(
        self, request: service_pb.ListEndpointsRequest, context: Any
    ) -> service_pb.ListEndpointsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        rows = await queries.page(
            self._pool, application, asked=request.filter, after=after, limit=page.limit
        )
        await self._directory.require_for(application, rows, page)
        rows, token = page.cut(rows, key=lambda row: [row[0]])
        return service_pb.ListEndpointsResponse(
            endpoints=[rendering.message(application, row) for row in rows], next_page_token=token
        )

    async def CreateEndpoint(
        self, request: service_pb.CreateEndpointRequest, context: Any
    ) -> pb.Endpoint:
        application = names.application_of(request.parent)
        country = await self._directory.country(application)
        supplied = reading.supplied(request.endpoint_id, request.endpoint)
        patch = addresses.identified(addresses.dialled(supplied, country))
        patch.create_only, patch.readmits = True, request.readmit_erased
        checks.check(patch)
        if not request.request_id:
            return await self._updates.write(application, patch)

        async def answer() -> pb.Endpoint:
            return await self._write_one(session, application, patch)

        async with self._sessions.begin() as session:
            return await request_ids.once(session, request, application, answer)

    async def UpdateEndpoint(
        self, request: service_pb.UpdateEndpointRequest, context: Any
    ) -> pb.Endpoint:
        application, patch = _update(request, "endpoint.name")
        country = await self._directory.country(application)
        return await self._updates.write(application, addresses.dialled(patch, country))

    async def DeleteEndpoint(
        self, request: service_pb.DeleteEndpointRequest, context: Any
    ) -> empty_pb2.Empty:
        application, endpoint = names.endpoint_of(request.name)
        async with self._sessions.begin() as session:
            connection = await engine.raw(session)
            await locks.lock_shared(connection, application)
            await locks.lock(connection, application, "endpoint", [endpoint])
            found = await store.read(connection, application, [endpoint])
            if endpoint in found:
                etags.check(found[endpoint].revision, request.etag)
            elif not request.allow_missing:
                raise _missing(request.name)
            deleted = await store.delete(connection, application, [endpoint])
            announce_deleted(session, application, deleted, self._now())
        return empty_pb2.Empty()

    async def BatchGetEndpoints(
        self, request: service_pb.BatchGetEndpointsRequest, context: Any
    ) -> service_pb.BatchGetEndpointsResponse:
        application = names.application_of(request.parent)
        wanted = names.endpoints_of(application, list(request.names), field="names")
        found = await queries.some(self._pool, application, wanted)
        response = service_pb.BatchGetEndpointsResponse()
        prefix = f"{request.parent}/endpoints/"
        for endpoint in dict.fromkeys(wanted):
            if endpoint in found:
                rendering.made(response.endpoints.add, prefix, found[endpoint])
            else:
                response.missing.append(prefix + endpoint)
        return response

    async def FindEndpoints(
        self, request: service_pb.FindEndpointsRequest, context: Any
    ) -> service_pb.FindEndpointsResponse:
        application = names.application_of(request.parent)
        wanted = list(dict.fromkeys(request.addresses))
        found = await queries.of_addresses(self._pool, application, request.channel_type, wanted)
        response = service_pb.FindEndpointsResponse()
        for row in found:
            rendering.made(response.endpoints.add, f"{request.parent}/endpoints/", row)
        return response

    async def BatchUpdateEndpoints(
        self, request: service_pb.BatchUpdateEndpointsRequest, context: Any
    ) -> service_pb.BatchUpdateEndpointsResponse:
        application = names.application_of(request.parent)
        country = await self._directory.country(application)
        read = [_read_item(application, item) for item in request.requests]
        patches = [addresses.dialled(one, country) for one in read if isinstance(one, Patch)]
        async with self._sessions.begin() as session:
            batch, outcomes = await self._write(session, application, patches)
        written = iter(outcomes)
        return service_pb.BatchUpdateEndpointsResponse(
            results=[
                _result(application, batch, one if isinstance(one, Error) else next(written))
                for one in read
            ]
        )

    async def BatchDeleteEndpoints(
        self, request: service_pb.BatchDeleteEndpointsRequest, context: Any
    ) -> service_pb.BatchDeleteEndpointsResponse:
        application = names.application_of(request.parent)
        endpoints = names.endpoints_of(application, list(request.names), field="names")
        async with self._sessions.begin() as session:
            connection = await engine.raw(session)
            await locks.lock_application(connection, application)
            deleted = await store.delete(connection, application, endpoints)
            announce_deleted(session, application, deleted, self._now())
        return service_pb.BatchDeleteEndpointsResponse(deleted_count=len(deleted))

    async def StreamUpdateEndpoints(
        self, requests: AsyncIterator[service_pb.StreamUpdateEndpointsRequest], context: Any
    ) -> service_pb.StreamUpdateEndpointsResponse:
        stream = Stream(self._sessions, self._directory, self._now)
        async for request in requests:
            await stream.take(request)
        return await stream.finish()

    async def ExplainEligibility(
        self, request: service_pb.ExplainEligibilityRequest, context: Any
    ) -> service_pb.ExplainEligibilityResponse:
        endpoint = await self._read(request.name)
        return await self._eligibility.explain(endpoint, request.campaign)

    async def RemoveAttributes(
        self, request: service_pb.RemoveAttributesRequest, context: Any
    ) -> operations_pb2.Operation:
        application = names.application_of(request.parent)
        removals.check(request)
        await self._directory.require(application)

        async def answer() -> operations_pb2.Operation:
            row = await removals.create(session, application, request, self._now())
            return operations.render(row)

        async with self._sessions.begin() as session:
            return await request_ids.once(session, request, application, answer)

    async def _read(self, name: str) -> pb.Endpoint:
        application, endpoint = names.endpoint_of(name)
        found = await queries.some(self._pool, application, [endpoint])
        if endpoint not in found:
            raise _missing(name)
        return rendering.message(application, found[endpoint])

    async def _write_one(
        self, session: AsyncSession, application: str, patch: Patch
    ) -> pb.Endpoint:
        batch, (outcome,) = await self._write(session, application, [patch])
        if isinstance(outcome, Error):
            raise outcome
        return rendering.stored(application, batch, outcome)

    async def _write(
        self, session: AsyncSession, application: str, patches: list[Patch]
    ) -> tuple[Batch, list[Outcome]]:
        connection, now = await engine.raw(session), self._now()
        batch, outcomes = await write_few(connection, application, patches, now)
        announce(session, application, batch, now, "api")
        return batch, outcomes


def _update(request: service_pb.UpdateEndpointRequest, field: str) -> tuple[str, Patch]:
    application, endpoint = names.endpoint_of(request.endpoint.name, field=field)
    patch = reading.masked(endpoint, request.endpoint, request.update_mask)
    patch.update_only, patch.readmits = not request.allow_missing, request.readmit_erased
    checks.check(patch)
    return application, patch


def _read_item(application: str, item: service_pb.UpdateEndpointRequest) -> Patch | Error:
    """One write of a batch, or why it is refused; the others go on."""
    try:
        owner, patch = _update(item, "endpoint.name")
        names.refuse_mismatch(application, owner, "endpoint.name")
    except Error as error:
        return error
    return patch


def _result(
    application: str, batch: Batch, outcome: Outcome
) -> service_pb.BatchUpdateEndpointsResponse.Result:
    if isinstance(outcome, Error):
        error = status.from_error(outcome, pb.DESCRIPTOR.package)
        return service_pb.BatchUpdateEndpointsResponse.Result(error=error)
    return service_pb.BatchUpdateEndpointsResponse.Result(
        endpoint=rendering.stored(application, batch, outcome)
    )


def _missing(name: str) -> NotFound:
    return NotFound("ENDPOINT_NOT_FOUND", f"{name} does not exist", endpoint=name)
