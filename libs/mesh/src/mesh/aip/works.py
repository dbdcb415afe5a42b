"""Long work as a row beside its operation, which tells how far it is and ends with it."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from google.protobuf.message import Message
from mesh.aip import operations, resource_names
from mesh.errors import Cancelled, Error
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

Key: TypeAlias = tuple[str, str]
"""An application and the id of its operation."""


class Work(Protocol):
    """A row of work; the two together are its key."""

    application: str
    operation: str


def name(row: Work) -> str:
    """The name of its operation."""
    ids = {"application": row.application, "operation": row.operation}
    return resource_names.format(operations.PATTERN, **ids)


async def waiting(session: AsyncSession, kind: Any, limit: int) -> Sequence[Key]:
    """Work of a kind, a table with `create_time`, that has not ended, oldest first."""
    query = select(kind.application, kind.operation).order_by(col(kind.create_time)).limit(limit)
    found: Sequence[Key] = (await session.exec(query)).all()
    return found


async def move_on(session: AsyncSession, row: Work, progress: Message, noun: str) -> bool:
    """Tell how far it is; false when somebody stopped the `noun`, with which it has ended."""
    operation = await operations.update(session, name(row), progress)
    if operation.cancel_requested:
        reason = f"{noun.upper()}_CANCELLED"
        await fail(session, row, Cancelled(reason, f"somebody stopped the {noun}"))
    return not operation.cancel_requested


async def succeed(session: AsyncSession, row: Work, response: Message) -> None:
    """End work that has done everything."""
    await operations.finish(session, name(row), response)
    await session.delete(row)


async def fail(session: AsyncSession, row: Work, error: Error) -> None:
    """End work that cannot go on; what it has done stays."""
    await operations.fail(session, name(row), error)
    await session.delete(row)
