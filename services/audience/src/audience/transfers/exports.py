"""The life of an export job, as rows: created, claimed, moved on, ended."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from heliograph.audience.v1 import export_job_pb2 as pb
from mesh.aip import operations, resource_names
from mesh.errors import Cancelled, Error, FailedPrecondition, NotFound
from mesh.rpc import status
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.tables import ExportJobRow
from audience.transfers import rendering

CHANNEL: Final = "export_job"
"""Notified when there is a job to run."""

OPEN: Final = (pb.ExportJob.QUEUED, pb.ExportJob.RUNNING)


async def create(
    session: AsyncSession,
    application: str,
    spec: pb.ExportSpec,
    now: datetime,
    *,
    segment: str,
    target: str,
    path: Path,
) -> ExportJobRow:
    """A job that waits for a worker, and the operation that ends with it."""
    await _refuse_shared(session, path, target)
    row = ExportJobRow(
        application=application,
        export_job=uuid.uuid4().hex,
        spec=spec.SerializeToString(),
        segment=segment,
        target=target,
        path=str(path),
        state=pb.ExportJob.QUEUED,
        files=[],
        operation="",
        read_time=now,
        create_time=now,
    )
    operation = await operations.create(session, application, rendering.export_job(row))
    row.operation = operations.name(operation)
    session.add(row)
    await session.flush()
    await operations.update(session, row.operation, rendering.export_job(row))
    await session.exec(select(func.pg_notify(CHANNEL, "")))
    return row


async def _refuse_shared(session: AsyncSession, path: Path, target: str) -> None:
    """A folder is empty until its job's first file, and would take a second job till then."""
    await session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(str(path), 0))))
    taken = select(ExportJobRow.export_job).where(
        col(ExportJobRow.state).in_(OPEN), col(ExportJobRow.path) == str(path)
    )
    if (await session.exec(taken)).first() is not None:
        message = f"{target!r} is being written by another job: name another folder"
        raise FailedPrecondition("EXPORT_FOLDER_NOT_EMPTY", message, path=target)


async def get(
    session: AsyncSession, application: str, export_job: str, *, lock: bool = False
) -> ExportJobRow:
    """The job, or NOT_FOUND."""
    row = await session.get(ExportJobRow, (application, export_job), with_for_update=lock or None)
    if row is None:
        ids = {"application": application, "export_job": export_job}
        name = resource_names.format(names.EXPORT_JOB, **ids)
        raise NotFound("EXPORT_JOB_NOT_FOUND", f"{name} does not exist", export_job=name)
    return row


async def waiting(session: AsyncSession, limit: int) -> Sequence[tuple[str, str]]:
    """Jobs that have not ended, oldest first, as application and id."""
    query = (
        select(ExportJobRow.application, ExportJobRow.export_job)
        .where(col(ExportJobRow.state).in_(OPEN))
        .order_by(col(ExportJobRow.create_time))
        .limit(limit)
    )
    return (await session.exec(query)).all()


async def page(
    session: AsyncSession, application: str, *, before: tuple[datetime, str] | None, limit: int
) -> Sequence[ExportJobRow]:
    """The next jobs, newest first."""
    created, export_job = col(ExportJobRow.create_time), col(ExportJobRow.export_job)
    query = select(ExportJobRow).filter_by(application=application)
    if before is not None:
        moment, last = before
        query = query.where((created < moment) | ((created == moment) & (export_job < last)))
    ordered = query.order_by(created.desc(), export_job.desc()).limit(limit)
    return (await session.exec(ordered)).all()


async def succeed(session: AsyncSession, row: ExportJobRow, now: datetime) -> None:
    """End a job that has written every member."""
    row.state, row.end_time = pb.ExportJob.SUCCEEDED, now
    job = rendering.export_job(row)
    await operations.update(session, row.operation, job)
    await operations.finish(session, row.operation, job)


async def fail(session: AsyncSession, row: ExportJobRow, error: Error, now: datetime) -> None:
    """End a job that cannot go on; its complete files stay."""
    stopped = isinstance(error, Cancelled)
    row.state = pb.ExportJob.CANCELLED if stopped else pb.ExportJob.FAILED
    row.end_time = now
    row.error = status.from_error(error, pb.DESCRIPTOR.package).SerializeToString()
    await operations.update(session, row.operation, rendering.export_job(row))
    await operations.fail(session, row.operation, error)


def cancelled() -> Cancelled:
    """How a job ends that somebody stopped."""
    return Cancelled("EXPORT_CANCELLED", "somebody stopped the job")
