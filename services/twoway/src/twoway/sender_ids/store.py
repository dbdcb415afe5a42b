"""Every statement about sender ids."""

from collections.abc import Iterable, Sequence

from mesh.errors import AlreadyExists, NotFound
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import adding, clock, names
from twoway.tables import PoolRow, PoolSenderIdRow, SenderIdRow


async def get(session: AsyncSession, name: str, field: str = "name") -> SenderIdRow:
    """The sender id of that name, or NOT_FOUND."""
    row = await session.get(SenderIdRow, names.sender_id_key(name, field))
    if row is None:
        raise NotFound("SENDER_ID_NOT_FOUND", f"{name} does not exist", sender_id=name)
    return row


async def page(
    session: AsyncSession, application: str, after: str, limit: int
) -> Sequence[SenderIdRow]:
    """Sender ids in the order of their ids."""
    row = SenderIdRow
    query = select(row).where(row.application == application, row.sender_id > after)
    return (await session.exec(query.order_by(col(row.sender_id)).limit(limit))).all()


async def add(session: AsyncSession, row: SenderIdRow) -> None:
    """A new sender id; ALREADY_EXISTS when the application has it."""
    name = names.sender_id(row.application, row.sender_id)
    await adding.add(
        session,
        row,
        lambda: AlreadyExists("SENDER_ID_EXISTS", f"{name} is registered already", sender_id=name),
    )


async def pools(
    session: AsyncSession, application: str, sender_ids: Iterable[str]
) -> dict[str, list[str]]:
    """Ids of the pools that sender ids belong to, in their order."""
    row = PoolSenderIdRow
    query = select(row).where(
        row.application == application, col(row.sender_id).in_(list(sender_ids))
    )
    found: dict[str, list[str]] = {}
    for one in (await session.exec(query.order_by(col(row.pool)))).all():
        found.setdefault(one.sender_id, []).append(one.pool)
    return found


async def pools_of(session: AsyncSession, row: SenderIdRow) -> list[str]:
    """Ids of the pools that one belongs to."""
    return (await pools(session, row.application, [row.sender_id])).get(row.sender_id, [])


async def follow(session: AsyncSession, pool: PoolRow) -> None:
    """Give the sender ids of a pool its opt-out list."""
    row, inside = SenderIdRow, PoolSenderIdRow
    members = select(inside.sender_id).where(
        inside.application == pool.application, inside.pool == pool.pool
    )
    await session.exec(
        update(row)
        .where(col(row.application) == pool.application, col(row.sender_id).in_(members))
        .where(col(row.opt_out_list) != pool.opt_out_list)
        .values(
            opt_out_list=pool.opt_out_list,
            revision=col(row.revision) + 1,
            update_time=clock.now(),
        )
    )
