"""Deleting a person: gone here at once, remembered by hashes, announced, erased by each service."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from google.longrunning import operations_pb2
from heliograph.audience.v1 import events_pb2
from heliograph.audience.v1 import user_service_pb2 as pb
from heliograph.audience.v1.application_service_pb2 import ServiceErasure
from mesh.aip import operations, resource_names
from mesh.eventing import outbox
from mesh.store import engine, orders
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.applications.deletion import SERVICES
from audience.endpoints import locks, store
from audience.moments import timestamp
from audience.persons import erased, finding
from audience.persons.finding import Person
from audience.persons.tables import UserErasureRow

_DELETE_PROFILE: Final = "DELETE FROM user_profile WHERE application = $1 AND user_id = $2"


async def delete(
    session: AsyncSession,
    application: str,
    request: pb.DeleteUserRequest,
    user_id: str,
    clock: Callable[[], datetime],
) -> operations_pb2.Operation:
    """Delete a person; the operation that gathers what each service erases."""
    connection = await engine.raw(session)
    await locks.lock_application(connection, application)
    now = clock()  # whatever is written from here on is later
    own = await finding.endpoints_of(connection, application, user_id)
    found = await finding.others(connection, application, user_id, own)
    person = finding.person(user_id, own, found)
    rows = {
        "endpoint": len(await store.delete(connection, application, person.endpoints)),
        "user_profile": _count(await connection.execute(_DELETE_PROFILE, application, user_id)),
    }
    await erased.forget(connection, application, user_id, person.held)
    if not request.forget_erasure:
        await erased.remember(connection, application, user_id, person.held, now)
    return await _announced(session, application, person, rows, now)


async def _announced(
    session: AsyncSession, application: str, person: Person, rows: dict[str, int], now: datetime
) -> operations_pb2.Operation:
    user = resource_names.format(names.USER, application=application, user=person.user_id)
    services = [ServiceErasure(service=service) for service in SERVICES]
    progress = pb.DeleteUserMetadata(user=user, services=services)
    operation = await operations.create(session, application, progress)
    name = operations.name(operation)
    event = _event(application, person, name, now)
    session.add(
        UserErasureRow(
            application=application,
            operation=operation.id,
            event=event.SerializeToString(),
            answered=[],
            create_time=now,
        )
    )
    subject = event.SerializeToString()
    await orders.take(session, application, name, subject, now, now, json.dumps(rows))
    outbox.publish(session, event, application, suffix=operation.id)
    return operations.render(operation)


def _event(
    application: str, person: Person, operation: str, now: datetime
) -> events_pb2.UserErased:
    return events_pb2.UserErased(
        application=application,
        user_id=person.user_id,
        endpoints=[
            resource_names.format(names.ENDPOINT, application=application, endpoint=one)
            for one in person.endpoints
        ],
        addresses=person.addresses,
        operation=operation,
        erase_time=timestamp(now),
    )


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
