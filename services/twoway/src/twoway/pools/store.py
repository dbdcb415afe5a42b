"""Every statement about pools."""

from collections.abc import Iterable, Sequence

from mesh.errors import AlreadyExists, NotFound
from sqlalchemy import union_all
from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import adding, names
from twoway.keywords.tables import KeywordRow
from twoway.tables import PhoneNumberRow, PoolRow, PoolSenderIdRow


async def get(session: AsyncSession, name: str, field: str = "name") -> PoolRow:
    """The pool of that name, or NOT_FOUND."""
    row = await session.get(PoolRow, names.pool_key(name, field))
    if row is None:
        raise NotFound("POOL_NOT_FOUND", f"{name} does not exist", pool=name)
    return row


async def page(
    session: AsyncSession, application: str, after: str, limit: int
) -> Sequence[PoolRow]:
    """Pools in the order of their ids."""
    query = select(PoolRow).where(PoolRow.application == application, PoolRow.pool > after)
    return (await session.exec(query.order_by(col(PoolRow.pool)).limit(limit))).all()


async def add(session: AsyncSession, row: PoolRow) -> None:
    """A new pool; ALREADY_EXISTS when its id is taken."""
    name = names.pool(row.application, row.pool)
    await adding.add(
        session, row, lambda: AlreadyExists("POOL_EXISTS", f"{name} exists already", pool=name)
    )


async def remove(session: AsyncSession, row: PoolRow) -> None:
    """A pool without members, and its keywords."""
    await session.exec(
        delete(KeywordRow).where(
            col(KeywordRow.application) == row.application,
            col(KeywordRow.phone_number) == row.pool,
        )
    )
    await session.delete(row)


async def counts(session: AsyncSession, application: str, pools: Iterable[str]) -> dict[str, int]:
    """How many members pools have."""
    wanted = list(pools)
    members = union_all(
        *(
            select(row.pool, func.count().label("members"))
            .where(row.application == application, col(row.pool).in_(wanted))
            .group_by(row.pool)
            for row in (PhoneNumberRow, PoolSenderIdRow)
        )
    )
    found: dict[str, int] = {}
    for pool, count in (await session.exec(members)).all():  # type: ignore[call-overload]
        found[pool] = found.get(pool, 0) + count
    return found


async def count(session: AsyncSession, row: PoolRow) -> int:
    """How many members a pool has."""
    return (await counts(session, row.application, [row.pool])).get(row.pool, 0)


async def members(session: AsyncSession, row: PoolRow) -> list[str]:
    """Names of all members in their order: the quota bounds them."""
    numbers = select(PhoneNumberRow.phone_number).where(
        PhoneNumberRow.application == row.application, PhoneNumberRow.pool == row.pool
    )
    sender_ids = select(PoolSenderIdRow.sender_id).where(
        PoolSenderIdRow.application == row.application, PoolSenderIdRow.pool == row.pool
    )
    return sorted(
        [
            *(names.phone_number(row.application, one) for one in await session.exec(numbers)),
            *(names.sender_id(row.application, one) for one in await session.exec(sender_ids)),
        ]
    )
