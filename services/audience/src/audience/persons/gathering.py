"""What the services answer to the erasure of a person; once all have, the proof.

Then nothing is left of what was told of the person on the bus, either.
"""

from datetime import UTC
from typing import Final

from google.protobuf import any_pb2
from heliograph import subjects
from heliograph.audience.v1 import events_pb2
from heliograph.audience.v1 import user_service_pb2 as pb
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from mesh import worker
from mesh.aip import operations
from mesh.aip.operations import OperationRow
from mesh.errors import NotFound
from mesh.eventing import outbox, publisher, shredding
from mesh.eventing.outbox import OutboxRow
from mesh.store.tombstones import Sessions
from nats.js import JetStreamContext
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.applications.deletion import SERVICES
from audience.moments import timestamp
from audience.persons.tables import UserErasureRow

POLL_SECONDS: Final = 1.0
AT_ONCE_MAX: Final = 100
REMINDED_MAX: Final = 10_000


async def note(session: AsyncSession, operation: OperationRow, report: ErasureReport) -> None:
    """Write one answer into the operation, which is locked; the first of a service counts.

    With each, the others are told once more who has answered: somebody may wait for it.
    """
    progress = pb.DeleteUserMetadata()
    any_pb2.Any.FromString(operation.progress).Unpack(progress)
    for one in progress.services:
        if one.service == report.service and not one.HasField("erase_time"):
            one.erased_rows.update(report.erased_rows)
            one.erase_time.CopyFrom(report.erase_time)
            one.kept.extend(report.kept)
    await operations.update(session, report.operation, progress)
    key = (operation.application, operation.id)
    row = await session.get(UserErasureRow, key, with_for_update=True)
    if row is None or report.service in row.answered:
        return
    row.answered = [*row.answered, report.service]
    if report.service == "messaging":
        outbox.publish(
            session,
            _event(row),
            row.application,
            event_id=f"{operation.id}-{report.service}",
            suffix=row.operation,
        )


async def remind(sessions: Sessions, js: JetStreamContext) -> int:
    """Announce again what somebody has not answered; how many erasures that were."""
    async with sessions() as session:
        answered = func.jsonb_array_length(col(UserErasureRow.answered))
        query = select(UserErasureRow.application, UserErasureRow.operation)
        query = query.where(answered < len(SERVICES)).order_by(col(UserErasureRow.create_time))
        waiting = (await session.exec(query.limit(REMINDED_MAX))).all()
    for application, operation in waiting:
        async with sessions.begin() as session:
            row = await session.get(UserErasureRow, (application, operation), with_for_update=True)
            if row is not None and len(row.answered) < len(SERVICES):
                await publisher.publish(js, _event(row), application, suffix=operation)
    return len(waiting)


async def close(sessions: Sessions, js: JetStreamContext) -> int:
    """End the erasures that all services have answered; how many that were."""
    async with sessions() as session:
        answered = func.jsonb_array_length(col(UserErasureRow.answered))
        query = select(UserErasureRow.application, UserErasureRow.operation)
        query = query.where(answered == len(SERVICES)).limit(AT_ONCE_MAX)
        found = (await session.exec(query)).all()
    for application, operation in found:
        async with sessions.begin() as session:
            row = await session.get(UserErasureRow, (application, operation), with_for_update=True)
            if row is not None and not await _leaves(session, row):
                await shredding.shred(js, subjects.AUDIENCE.name, _subject(row))
                await _finish(session, row)
                await session.delete(row)
    return len(found)


async def close_forever(sessions: Sessions, js: JetStreamContext) -> None:
    """Close until cancelled."""

    async def step() -> None:
        # One that is still on its way to the bus is found again at once: it is worth a rest.
        await close(sessions, js)

    await worker.run("proofs", step, poll_seconds=POLL_SECONDS)


async def _leaves(session: AsyncSession, row: UserErasureRow) -> bool:
    """Whether something of the person is still on its way to the bus."""
    query = select(OutboxRow.id).where(col(OutboxRow.subject) == _subject(row)).limit(1)
    return (await session.exec(query)).first() is not None


async def _finish(session: AsyncSession, row: UserErasureRow) -> None:
    event = _event(row)
    try:
        operation = await operations.get(session, event.operation, lock=True)
    except NotFound:
        return  # it took so long that it is forgotten
    progress = pb.DeleteUserMetadata()
    any_pb2.Any.FromString(operation.progress).Unpack(progress)
    last = max(one.erase_time.ToDatetime(UTC) for one in progress.services)
    response = pb.DeleteUserResponse(
        user=progress.user, services=progress.services, erase_time=timestamp(last)
    )
    await operations.finish(session, event.operation, response)


def _event(row: UserErasureRow) -> events_pb2.UserErased:
    event = events_pb2.UserErased.FromString(row.event)
    event.answered_services.extend(row.answered)
    return event


def _subject(row: UserErasureRow) -> str:
    return subjects.subject(events_pb2.UserErased, row.application, row.operation)
