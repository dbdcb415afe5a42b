"""New rows, refused in the contract's words when their key is taken."""

from collections.abc import Callable

from mesh.errors import Error
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


async def add(session: AsyncSession, row: SQLModel, taken: Callable[[], Error]) -> None:
    """Insert the row; raises what `taken` makes if it is there already, also at the same moment."""
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise taken() from None
