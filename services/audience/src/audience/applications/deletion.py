"""Deleting an application: buried here at once, announced, and erased by each service."""

from datetime import datetime
from typing import Final

from google.longrunning import operations_pb2
from heliograph.audience.v1 import application_service_pb2 as service_pb
from heliograph.audience.v1 import events_pb2
from mesh.aip import etags, operations
from mesh.errors import FailedPrecondition
from mesh.eventing import outbox
from mesh.store import engine, tombstones
from mesh.store.tombstones import TombstoneRow
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.applications import store
from audience.endpoints import locks
from audience.moments import timestamp
from audience.tables import ApplicationRow

SERVICES: Final = ("audience", "campaign", "messaging", "analytics", "twoway")
"""Whose answers make an application erased."""


async def delete(
    session: AsyncSession, application: str, etag: str, now: datetime
) -> operations_pb2.Operation:
    """Delete an application; the operation that gathers what each service erases.

    One that is deleted already gives its operation as it stands. Whoever writes to it at this
    moment is waited for, and whoever comes later finds it gone.
    """
    row = await session.get(ApplicationRow, application, with_for_update=True)
    if row is None:
        return await _again(session, application)
    etags.check(row.revision, etag)
    await locks.lock_application(await engine.raw(session), application)
    operation = await operations.create(session, application, _begun(application))
    name = operations.name(operation)
    await tombstones.bury(session, application, name, now, now)
    await session.delete(row)
    outbox.publish(session, announcement(application, name, now), application)
    return operations.render(operation)


def announcement(application: str, operation: str, now: datetime) -> events_pb2.ApplicationDeleted:
    """What the other services hear."""
    return events_pb2.ApplicationDeleted(
        application=application, operation=operation, delete_time=timestamp(now)
    )


async def refuse_buried(session: AsyncSession, application: str) -> None:
    """Refuse (APPLICATION_DELETED) the id of a deleted application, which is not given again."""
    if await session.get(TombstoneRow, application) is not None:
        message = f"applications/{application} was deleted, and its id is not given again"
        raise FailedPrecondition("APPLICATION_DELETED", message, application=application)


async def _again(session: AsyncSession, application: str) -> operations_pb2.Operation:
    tombstone = await tombstones.find(session, application)
    if tombstone is None:
        raise store.missing(application)
    return operations.render(await operations.get(session, tombstone.operation))


def _begun(application: str) -> service_pb.DeleteApplicationMetadata:
    return service_pb.DeleteApplicationMetadata(
        application=f"applications/{application}",
        services=[service_pb.ServiceErasure(service=service) for service in SERVICES],
    )
