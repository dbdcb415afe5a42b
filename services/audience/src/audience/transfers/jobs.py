"""The life of an import job, as rows: created, claimed, moved on, ended."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from google.protobuf.message import Message
from heliograph.audience.v1 import events_pb2
from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.aip import operations, resource_names
from mesh.errors import Cancelled, Error, NotFound
from mesh.eventing import outbox
from mesh.rpc import status
from sqlalchemy import func
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.moments import timestamp
from audience.tables import ImportBlockRow, ImportFailureRow, ImportJobRow
from audience.transfers import rendering

CHANNEL: Final = "import_job"
"""Notified when there is a job to run."""

OPEN: Final = (pb.ImportJob.QUEUED, pb.ImportJob.RUNNING)


async def create(
    session: AsyncSession,
    application: str,
    spec: pb.ImportSpec,
    now: datetime,
    *,
    source: str,
    path: str = "",
    total_bytes: int = 0,
    file_changed_seconds: float = 0.0,
) -> ImportJobRow:
    """A job that waits for a worker, and the operation that ends with it."""
    row = ImportJobRow(
        application=application,
        import_job=uuid.uuid4().hex,
        spec=spec.SerializeToString(),
        source=source,
        path=path,
        total_bytes=total_bytes,
        file_changed_seconds=file_changed_seconds,
        state=pb.ImportJob.QUEUED,
        operation="",
        create_time=now,
    )
    operation = await operations.create(session, application, rendering.import_job(row))
    row.operation = operations.name(operation)
    session.add(row)
    await session.flush()
    await operations.update(session, row.operation, rendering.import_job(row))
    await session.exec(select(func.pg_notify(CHANNEL, "")))
    return row


async def get(
    session: AsyncSession, application: str, import_job: str, *, lock: bool = False
) -> ImportJobRow:
    """The job, or NOT_FOUND."""
    row = await session.get(ImportJobRow, (application, import_job), with_for_update=lock or None)
    if row is None:
        ids = {"application": application, "import_job": import_job}
        name = resource_names.format(names.IMPORT_JOB, **ids)
        raise NotFound("IMPORT_JOB_NOT_FOUND", f"{name} does not exist", import_job=name)
    return row


async def waiting(session: AsyncSession, limit: int) -> Sequence[tuple[str, str]]:
    """Jobs that have not ended, oldest first, as application and id."""
    query = (
        select(ImportJobRow.application, ImportJobRow.import_job)
        .where(col(ImportJobRow.state).in_(OPEN))
        .order_by(col(ImportJobRow.create_time))
        .limit(limit)
    )
    return (await session.exec(query)).all()


async def page(
    session: AsyncSession, application: str, *, before: tuple[datetime, str] | None, limit: int
) -> Sequence[ImportJobRow]:
    """The next jobs, newest first."""
    created, import_job = col(ImportJobRow.create_time), col(ImportJobRow.import_job)
    query = select(ImportJobRow).filter_by(application=application)
    if before is not None:
        moment, last = before
        query = query.where((created < moment) | ((created == moment) & (import_job < last)))
    ordered = query.order_by(created.desc(), import_job.desc()).limit(limit)
    return (await session.exec(ordered)).all()


async def failures(
    session: AsyncSession, application: str, import_job: str, *, after: int, limit: int
) -> Sequence[ImportFailureRow]:
    """The next refused rows, by line."""
    line = col(ImportFailureRow.line)
    query = (
        select(ImportFailureRow)
        .filter_by(application=application, import_job=import_job)
        .where(line > after)
        .order_by(line)
        .limit(limit)
    )
    return (await session.exec(query)).all()


async def succeed(session: AsyncSession, row: ImportJobRow, now: datetime) -> None:
    """End a job whose every line is imported or among the failures."""
    row.state, row.end_time = pb.ImportJob.SUCCEEDED, now
    job = rendering.import_job(row)
    await operations.update(session, row.operation, job)
    await operations.finish(session, row.operation, job)
    await _ended(session, row, now)


async def fail(session: AsyncSession, row: ImportJobRow, error: Error, now: datetime) -> None:
    """End a job that cannot go on; what it imported stays."""
    refused = isinstance(error, Cancelled)
    row.state = pb.ImportJob.CANCELLED if refused else pb.ImportJob.FAILED
    row.end_time = now
    row.error = status.from_error(error, pb.DESCRIPTOR.package).SerializeToString()
    await operations.update(session, row.operation, rendering.import_job(row))
    await operations.fail(session, row.operation, error)
    await _ended(session, row, now)


def cancelled() -> Cancelled:
    """How a job ends that somebody stopped."""
    return Cancelled("IMPORT_CANCELLED", "somebody stopped the job")


async def _ended(session: AsyncSession, row: ImportJobRow, now: datetime) -> None:
    """Drop the upload, and announce the end."""
    await session.exec(
        delete(ImportBlockRow).where(
            col(ImportBlockRow.application) == row.application,
            col(ImportBlockRow.import_job) == row.import_job,
        )
    )
    event: Message = events_pb2.ImportFinished(
        application=row.application,
        import_job=rendering.name(row),
        succeeded=row.state == pb.ImportJob.SUCCEEDED,
        imported_count=row.imported_count,
        failed_count=row.failed_count,
        end_time=timestamp(now),
    )
    outbox.publish(session, event, row.application)
