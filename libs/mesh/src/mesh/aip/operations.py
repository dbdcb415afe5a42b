"""Long work as google.longrunning.Operation on a table (AIP-151)."""

import uuid
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from google.longrunning import operations_pb2
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2
from mesh.aip import resource_names
from mesh.aip.tables import now, timestamp
from mesh.errors import Error, NotFound
from mesh.rpc import status
from mesh.store import indexes, tables
from mesh.store.purging import Purge
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

Progress = TypeVar("Progress", bound=Message)

PATTERN = "applications/{application}/operations/{operation}"

metadata = tables.metadata()


class OperationRow(SQLModel, table=True):
    """One piece of long work. `progress`, `response` and `error` hold packed messages."""

    __tablename__ = "operations"
    __table_args__ = (
        sa.Index("operations_done_idx", "update_time", postgresql_where=sa.text("done")),
    )
    metadata = metadata

    application: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    done: bool = False
    cancel_requested: bool = False
    progress: bytes = b""
    response: bytes = b""
    error: bytes = b""
    create_time: datetime = timestamp()
    update_time: datetime = timestamp()


async def create(session: AsyncSession, application: str, progress: Message) -> OperationRow:
    """Begin long work; `progress` is the message that Operation.metadata carries."""
    row = OperationRow(application=application, id=uuid.uuid4().hex, progress=_packed(progress))
    session.add(row)
    return row


async def get(session: AsyncSession, operation_name: str, *, lock: bool = False) -> OperationRow:
    """The operation of that name, or NOT_FOUND."""
    ids = resource_names.parse(PATTERN, operation_name)
    key = (ids["application"], ids["operation"])
    row = await session.get(OperationRow, key, with_for_update=lock or None)
    if row is None:
        message = f"{operation_name} does not exist"
        raise NotFound("OPERATION_NOT_FOUND", message, operation=operation_name)
    return row


async def told(
    session: AsyncSession, application: str, kind: type[Progress], limit: int
) -> list[Progress]:
    """How far the newest operations of an application are that tell it in this kind of message."""
    row = OperationRow
    query = select(row.progress).where(row.application == application)
    newest = query.order_by(col(row.create_time).desc()).limit(limit)
    found = []
    for packed in (await session.exec(newest)).all():
        progress = kind()
        if any_pb2.Any.FromString(packed).Unpack(progress):
            found.append(progress)
    return found


async def update(session: AsyncSession, operation_name: str, progress: Message) -> OperationRow:
    """Record progress. The row tells whether cancelling was asked for (`cancel_requested`)."""
    row = await get(session, operation_name, lock=True)
    row.progress = _packed(progress)
    row.update_time = now()
    return row


async def finish(session: AsyncSession, operation_name: str, response: Message) -> OperationRow:
    """End the work well. An operation that is done stays as it is."""
    row = await get(session, operation_name, lock=True)
    if not row.done:
        row.response, row.done, row.update_time = _packed(response), True, now()
    return row


async def fail(session: AsyncSession, operation_name: str, error: Error) -> OperationRow:
    """End the work with an error. An operation that is done stays as it is."""
    row = await get(session, operation_name, lock=True)
    if not row.done:
        row.error = status.from_error(error).SerializeToString()
        row.done, row.update_time = True, now()
    return row


def name(row: OperationRow) -> str:
    """The resource name of an operation."""
    return resource_names.format(PATTERN, application=row.application, operation=row.id)


def render(row: OperationRow) -> operations_pb2.Operation:
    """The row as the message clients read."""
    operation = operations_pb2.Operation(name=name(row), done=row.done)
    operation.metadata.CopyFrom(any_pb2.Any.FromString(row.progress))
    if row.error:
        operation.error.CopyFrom(status_pb2.Status.FromString(row.error))
    elif row.done:
        operation.response.CopyFrom(any_pb2.Any.FromString(row.response))
    return operation


def finished(kept: timedelta) -> Purge:
    """What was done so long ago, to be deleted in batches."""
    return Purge("operations", "done AND update_time < :before", kept)


def create_index(op: Any) -> None:
    """The index of what is done, for a migration outside a transaction."""
    indexes.create(op, "operations_done_idx", "operations (update_time) WHERE done")


def create_table(op: Any) -> None:
    """The first form of the table, for a migration; `op` is alembic's."""
    op.create_table(
        "operations",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("error", sa.LargeBinary(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
    )


def drop_table(op: Any) -> None:
    """Undo `create_table`."""
    op.drop_table("operations")


def _packed(message: Message) -> bytes:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed.SerializeToString()
