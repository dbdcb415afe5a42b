"""Every statement about numbers."""

from collections.abc import Sequence

from mesh.errors import AlreadyExists, NotFound
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import adding, names
from twoway.consent import lists
from twoway.keywords.tables import KeywordRow
from twoway.tables import PhoneNumberRow


async def get(
    session: AsyncSession, name: str, *, lock: bool = False, field: str = "name"
) -> PhoneNumberRow:
    """The number of that name, or NOT_FOUND."""
    row = await session.get(
        PhoneNumberRow, names.phone_number_key(name, field), with_for_update=lock or None
    )
    if row is None:
        raise NotFound("PHONE_NUMBER_NOT_FOUND", f"{name} does not exist", phone_number=name)
    return row


async def page(
    session: AsyncSession, application: str, opt_out_list: str, pool: str, after: str, limit: int
) -> Sequence[PhoneNumberRow]:
    """Numbers in the order of their ids; those of one list and of one pool, if given."""
    query = select(PhoneNumberRow).where(
        PhoneNumberRow.application == application, PhoneNumberRow.phone_number > after
    )
    if opt_out_list:
        query = query.where(PhoneNumberRow.opt_out_list == opt_out_list)
    if pool:
        query = query.where(PhoneNumberRow.pool == pool)
    query = query.order_by(col(PhoneNumberRow.phone_number)).limit(limit)
    return (await session.exec(query)).all()


async def add(session: AsyncSession, row: PhoneNumberRow) -> None:
    """A new number; ALREADY_EXISTS when the application has it."""
    await lists.require(session, row.application, row.opt_out_list)
    await adding.add(session, row, lambda: _exists(row.phone_number))


async def remove(session: AsyncSession, row: PhoneNumberRow) -> None:
    """The number and its keywords."""
    await session.exec(
        delete(KeywordRow).where(
            col(KeywordRow.application) == row.application,
            col(KeywordRow.phone_number) == row.phone_number,
        )
    )
    await session.delete(row)


def _exists(number: str) -> AlreadyExists:
    return AlreadyExists(
        "PHONE_NUMBER_EXISTS", f"{number} is registered already", phone_number=number
    )
