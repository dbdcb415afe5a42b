"""The statements on applications."""

from collections.abc import Sequence
from typing import Any

from mesh.aip.pagination import Page
from mesh.errors import NotFound
from mesh.rpc.auth import ALL, Caller
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.tables import ApplicationRow


async def get(session: AsyncSession, application: str, *, lock: bool = False) -> ApplicationRow:
    """The application, or NOT_FOUND."""
    row = await session.get(ApplicationRow, application, with_for_update=lock or None)
    if row is None:
        raise missing(application)
    return row


async def page(
    session: AsyncSession, known: Caller, *, after: str, limit: int
) -> Sequence[ApplicationRow]:
    """Applications that the caller may touch, by id."""
    column = col(ApplicationRow.application)
    query = select(ApplicationRow).where(column > after).order_by(column).limit(limit)
    if known.applications is not ALL:
        query = query.where(column.in_(known.applications))
    return (await session.exec(query)).all()


async def require_for(
    session: AsyncSession, application: str, found: Sequence[Any], page: Page
) -> None:
    """Refuse (APPLICATION_NOT_FOUND) a first page of nothing, if there is no such application."""
    if not found and page.after is None:
        await get(session, application)


def missing(application: str) -> NotFound:
    """The refusal of a call about an application that is not there."""
    name = f"applications/{application}"
    return NotFound("APPLICATION_NOT_FOUND", f"{name} does not exist", application=application)
