"""The life of a removal, as rows: made, found by a worker, moved on, ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from heliograph.audience.v1 import endpoint_service_pb2 as pb
from mesh.aip import operations, works
from mesh.aip.operations import OperationRow
from mesh.errors.refusals import invalid
from sqlalchemy import func
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.tables import AttributeRemovalRow

CHANNEL: Final = "attribute_removal"
"""Notified when there is a removal to do."""

NAMES_MAX: Final = 1000
"""Removed names that the operation tells."""


def check(request: pb.RemoveAttributesRequest) -> None:
    """Refuse patterns that no name can fit."""
    for index, pattern in enumerate(request.patterns):
        if not pattern.isprintable():
            description = "no name of an attribute has a control character"
            raise invalid("ATTRIBUTE_NAME_INVALID", f"patterns[{index}]", description)


async def create(
    session: AsyncSession, application: str, request: pb.RemoveAttributesRequest, now: datetime
) -> OperationRow:
    """A removal that waits for a worker; its operation."""
    operation = await operations.create(session, application, pb.RemoveAttributesMetadata())
    row = AttributeRemovalRow(
        application=application,
        operation=operation.id,
        kind=request.kind,
        patterns=list(request.patterns),
        removed=[],
        create_time=now,
    )
    session.add(row)
    await session.flush()
    await session.exec(select(func.pg_notify(CHANNEL, "")))
    return operation


async def waiting(session: AsyncSession, limit: int) -> Sequence[tuple[str, str]]:
    """Removals that have not ended, oldest first, as application and operation."""
    return await works.waiting(session, AttributeRemovalRow, limit)


async def get(
    session: AsyncSession, application: str, operation: str
) -> AttributeRemovalRow | None:
    """The removal, locked; None when it has ended."""
    return await session.get(AttributeRemovalRow, (application, operation), with_for_update=True)


async def move_on(
    session: AsyncSession, row: AttributeRemovalRow, scanned: int, changed: int, removed: set[str]
) -> bool:
    """Count a page; false when somebody stopped the removal, which has then ended."""
    row.scanned_count += scanned
    row.changed_count += changed
    row.removed = sorted({*row.removed, *removed})[:NAMES_MAX]
    row.attempts = 0
    progress = pb.RemoveAttributesMetadata(
        scanned_count=row.scanned_count, changed_count=row.changed_count
    )
    return await works.move_on(session, row, progress, "removal")


async def succeed(session: AsyncSession, row: AttributeRemovalRow) -> None:
    """End a removal that has seen every row."""
    response = pb.RemoveAttributesResponse(
        removed_attributes=row.removed, changed_count=row.changed_count
    )
    await works.succeed(session, row, response)
