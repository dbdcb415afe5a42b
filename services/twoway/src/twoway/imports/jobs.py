"""The life of an import, as rows: made, found by a worker, moved on, ended."""

from collections.abc import Sequence
from typing import Any, Final

from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.aip import operations, works
from mesh.aip.operations import OperationRow
from mesh.aip.works import Key
from mesh.errors import Error, Unavailable
from mesh.objects.sources import FileFacts
from mesh.rpc import auth
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.imports.tables import OptedOutImportRow

ATTEMPTS_MAX: Final = 5


async def create(
    session: AsyncSession, request: pb.ImportOptedOutNumbersRequest, file: FileFacts | None
) -> OperationRow:
    """An import that waits for a worker; its operation. `file` is what was found at its address."""
    application, opt_out_list = names.opt_out_list_key(request.parent, "parent")
    operation = await operations.create(session, application, pb.ImportOptedOutNumbersMetadata())
    row = OptedOutImportRow(
        application=application,
        operation=operation.id,
        opt_out_list=opt_out_list,
        content=request.content,
        **_found(request.uri, file),
        caller=auth.caller().subject,
        comment=request.comment,
        create_time=clock.now(),
    )
    session.add(row)
    return operation


def _found(uri: str, file: FileFacts | None) -> dict[str, Any]:
    if file is None:
        return {}
    return {
        "uri": uri,
        "path": file.path,
        "size_bytes": file.size_bytes,
        "changed_seconds": file.changed_seconds,
        "etag": file.etag,
    }


async def waiting(session: AsyncSession, limit: int) -> Sequence[Key]:
    """Imports that have not ended, oldest first."""
    return await works.waiting(session, OptedOutImportRow, limit)


async def get(session: AsyncSession, key: Key, *, lock: bool = False) -> OptedOutImportRow | None:
    """The import; None when it has ended."""
    return await session.get(OptedOutImportRow, key, with_for_update=lock or None)


async def at(session: AsyncSession, key: Key, position: int) -> OptedOutImportRow | None:
    """The import, locked; None when it has ended, or somebody else took it on from there."""
    row = await get(session, key, lock=True)
    return row if row is not None and outcome(row).read_count == position else None


def may_pass(row: OptedOutImportRow, error: Error) -> bool:
    """Whether a failure is worth another attempt, which is counted: a store is away."""
    row.attempts += 1
    return isinstance(error, Unavailable) and row.attempts < ATTEMPTS_MAX


def outcome(row: OptedOutImportRow) -> pb.ImportOptedOutNumbersResponse:
    """What it has come to so far."""
    return pb.ImportOptedOutNumbersResponse.FromString(row.outcome)


async def move_on(
    session: AsyncSession, row: OptedOutImportRow, so_far: pb.ImportOptedOutNumbersResponse
) -> bool:
    """Record how far it is; false when somebody stopped it, with which it has ended."""
    row.outcome, row.attempts = so_far.SerializeToString(), 0
    progress = pb.ImportOptedOutNumbersMetadata(
        read_count=so_far.read_count,
        opted_out_count=so_far.opted_out_count,
        present_count=so_far.present_count,
        refused_count=so_far.refused_count,
    )
    return await works.move_on(session, row, progress, "import")
