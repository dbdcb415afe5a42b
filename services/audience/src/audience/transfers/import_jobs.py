"""Import jobs: how one is made, what it lost, and what its end leaves behind."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from google.protobuf.message import Message
from heliograph.audience.v1 import events_pb2
from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.eventing import outbox
from mesh.objects.sources import FileFacts
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience import names
from audience.moments import timestamp
from audience.segments import imports
from audience.tables import ImportBlockRow, ImportFailureRow, ImportJobRow
from audience.transfers import parts, rendering
from audience.transfers.jobs import Jobs

UPLOAD: Final = FileFacts("", 0)
"""What is known of a file that is still to come."""


async def create(
    session: AsyncSession,
    application: str,
    spec: pb.ImportSpec,
    now: datetime,
    *,
    source: str,
    files: Sequence[FileFacts] = (UPLOAD,),
    is_folder: bool = False,
) -> ImportJobRow:
    """A job that waits for a worker, and the operation that ends with it.

    Raises FailedPrecondition (SEGMENT_NOT_IMPORTED) for members of a segment that asks a question.
    """
    if spec.segment_id:
        await imports.check(session, application, spec.segment_id)
    file = files[0]
    row = ImportJobRow(
        application=application,
        import_job=uuid.uuid4().hex,
        spec=spec.SerializeToString(),
        source=source,
        path=file.path,
        total_bytes=file.size_bytes,
        file_changed_seconds=file.changed_seconds,
        etag=file.etag,
        state=pb.ImportJob.QUEUED,
        operation="",
        create_time=now,
    )
    if is_folder:
        parts.add(session, row, files)
    return await jobs.add(session, row)


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


def _place(row: ImportJobRow) -> tuple[str, dict[str, str]]:
    line = str(row.processed_lines)
    return f"at line {line}", {"line": line}


jobs: Final = Jobs(
    kind="import",
    row=ImportJobRow,
    pattern=names.IMPORT_JOB,
    state=pb.ImportJob.State.Value,
    render=rendering.import_job,
    place=_place,
    ended=_ended,
)
