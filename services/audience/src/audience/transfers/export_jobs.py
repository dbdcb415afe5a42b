"""Export jobs: how one is made, and the folder that it has for itself."""

import uuid
from datetime import datetime
from typing import Final

from heliograph.audience.v1 import export_job_pb2 as pb
from mesh.errors import FailedPrecondition
from mesh.errors.refusals import shown
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.tables import ExportJobRow
from audience.transfers import rendering
from audience.transfers.jobs import Jobs


async def create(
    session: AsyncSession,
    application: str,
    spec: pb.ExportSpec,
    now: datetime,
    *,
    segment: str,
    target: str,
    path: str,
) -> ExportJobRow:
    """A job that waits for a worker, and the operation that ends with it."""
    await _refuse_shared(session, path, target)
    row = ExportJobRow(
        application=application,
        export_job=uuid.uuid4().hex,
        spec=spec.SerializeToString(),
        segment=segment,
        target=target,
        path=path,
        state=pb.ExportJob.QUEUED,
        files=[],
        operation="",
        read_time=now,
        create_time=now,
    )
    return await jobs.add(session, row)


async def _refuse_shared(session: AsyncSession, path: str, target: str) -> None:
    """A folder is empty until its job's first file, and would take a second job till then."""
    await session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(path, 0))))
    taken = select(ExportJobRow.export_job).where(
        col(ExportJobRow.state).in_(jobs.unended), col(ExportJobRow.path) == path
    )
    if (await session.exec(taken)).first() is not None:
        message = f"{shown(target)} is being written by another job: name another folder"
        raise FailedPrecondition("EXPORT_FOLDER_NOT_EMPTY", message, path=target)


def _place(row: ExportJobRow) -> tuple[str, dict[str, str]]:
    count = row.exported_count
    return f"after {count} endpoints", {"exported_count": str(count)}


jobs: Final = Jobs(
    kind="export",
    row=ExportJobRow,
    pattern=names.EXPORT_JOB,
    state=pb.ExportJob.State.Value,
    render=rendering.export_job,
    place=_place,
)
