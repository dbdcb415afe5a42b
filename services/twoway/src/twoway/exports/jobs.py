"""The life of an export, as rows: made, found by a worker, moved on, ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.aip import operations, works
from mesh.aip.operations import OperationRow
from mesh.aip.works import Key
from mesh.errors import Error, FailedPrecondition
from mesh.errors.refusals import shown
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.exports.tables import OptedOutExportRow

ATTEMPTS_MAX: Final = 5
NUMBERS_PER_FILE: Final = 1_000_000
OPERATIONS_MAX: Final = 10_000
"""Imports and exports of an application whose files are looked for."""


async def create(
    session: AsyncSession,
    request: pb.ExportOptedOutNumbersRequest,
    path: str,
    total_count: int,
    now: datetime,
) -> OperationRow:
    """An export that waits for a worker; its operation."""
    await _refuse_shared(session, path, request.uri)
    application, opt_out_list = names.opt_out_list_key(request.parent, "parent")
    progress = pb.ExportOptedOutNumbersMetadata(total_count=total_count)
    operation = await operations.create(session, application, progress)
    row = OptedOutExportRow(
        application=application,
        operation=operation.id,
        opt_out_list=opt_out_list,
        uri=request.uri,
        path=path,
        format=request.format,
        compression=request.compression,
        numbers_per_file=request.numbers_per_file or NUMBERS_PER_FILE,
        total_count=total_count,
        create_time=now,
    )
    session.add(row)
    return operation


async def _refuse_shared(session: AsyncSession, path: str, uri: str) -> None:
    """A folder is empty until its export's first file, and would take a second one till then."""
    await session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(path, 0))))
    taken = select(OptedOutExportRow.operation).where(col(OptedOutExportRow.path) == path)
    if (await session.exec(taken)).first() is not None:
        message = f"{shown(uri)} is being written by another export: name another folder"
        raise FailedPrecondition("EXPORT_FOLDER_NOT_EMPTY", message, path=uri)


async def waiting(session: AsyncSession, limit: int) -> Sequence[Key]:
    """Exports that have not ended, oldest first."""
    return await works.waiting(session, OptedOutExportRow, limit)


async def get(session: AsyncSession, key: Key) -> OptedOutExportRow | None:
    """The export, locked; None when it has ended, or its application was deleted."""
    return await session.get(OptedOutExportRow, key, with_for_update=True)


async def move_on(session: AsyncSession, row: OptedOutExportRow, written: int) -> bool:
    """Tell that so many are written; false when somebody stopped it, with which it has ended."""
    progress = pb.ExportOptedOutNumbersMetadata(
        written_count=written, total_count=max(written, row.total_count), uris=_uris(row)
    )
    return await works.move_on(session, row, progress, "export")


async def succeed(session: AsyncSession, row: OptedOutExportRow) -> None:
    """End an export that has written everybody."""
    response = pb.ExportOptedOutNumbersResponse(written_count=row.written_count, uris=_uris(row))
    await works.succeed(session, row, response)


async def begun(session: AsyncSession, application: str, until: datetime) -> str:
    """The operation of an export that began by then and has not ended; empty when there is none."""
    row = OptedOutExportRow
    query = select(row.operation).where(row.application == application)
    begun_by_then = query.where(col(row.create_time) <= until).limit(1)
    return (await session.exec(begun_by_then)).first() or ""


async def uris(session: AsyncSession, application: str) -> list[str]:
    """Every file that exports have written, as far as their operations are kept."""
    kind = pb.ExportOptedOutNumbersMetadata
    told = await operations.told(session, application, kind, OPERATIONS_MAX)
    return [uri for progress in told for uri in progress.uris]


def _uris(row: OptedOutExportRow) -> list[str]:
    folder = row.uri if row.uri.endswith("/") else f"{row.uri}/"
    return [folder + one for one in row.files]


def abandoned(row: OptedOutExportRow) -> Error:
    """How one ends that failed too often without getting on."""
    message = f"the export failed {ATTEMPTS_MAX} times after {row.written_count} numbers"
    return Error("EXPORT_ABANDONED", message, written_count=str(row.written_count))
