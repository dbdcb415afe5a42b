"""Every statement that reads what people wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh.errors import NotFound
from sqlalchemy import tuple_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.tables import InboundMessageRow

Key = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which texts of an application are meant; what is empty does not narrow."""

    application: str
    destination_address: str = ""
    source_address: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    intents: tuple[str, ...] = ()
    flagged: bool = False


async def get(session: AsyncSession, name: str) -> InboundMessageRow:
    """The text of that name, or NOT_FOUND."""
    row = await session.get(InboundMessageRow, names.inbound_message_key(name))
    if row is None:
        raise NotFound("INBOUND_MESSAGE_NOT_FOUND", f"{name} does not exist", inbound_message=name)
    return row


async def page(
    session: AsyncSession, wanted: Filter, before: Key | None, limit: int
) -> Sequence[InboundMessageRow]:
    """Texts, newest first."""
    row = InboundMessageRow
    query = select(row).where(*_conditions(wanted))
    if before is not None:
        query = query.where(tuple_(col(row.receive_time), col(row.sequence)) < before)
    query = query.order_by(col(row.receive_time).desc(), col(row.sequence).desc())
    return (await session.exec(query.limit(limit))).all()


async def following(
    session: AsyncSession, wanted: Filter, after: int, limit: int
) -> tuple[Sequence[InboundMessageRow], int]:
    """Texts recorded after a sequence, in its order, and the sequence up to which nothing is left.

    Commits follow the sequence, so that whatever is recorded later is above it.
    """
    last = await latest(session, wanted.application)
    row = InboundMessageRow
    query = select(row).where(
        *_conditions(wanted), col(row.sequence) > after, col(row.sequence) <= last
    )
    rows = (await session.exec(query.order_by(col(row.sequence)).limit(limit))).all()
    if len(rows) == limit:
        last = rows[-1].sequence or last
    return rows, max(last, after)


async def latest(session: AsyncSession, application: str) -> int:
    """The sequence of the text recorded last; 0 when there is none."""
    query = select(func.max(InboundMessageRow.sequence)).where(
        InboundMessageRow.application == application
    )
    return (await session.exec(query)).one() or 0


async def before(session: AsyncSession, application: str, start_time: datetime) -> int:
    """The sequence after which every text received at that time or later stands."""
    query = select(func.min(InboundMessageRow.sequence)).where(
        InboundMessageRow.application == application,
        InboundMessageRow.receive_time >= start_time,
    )
    first = (await session.exec(query)).one()
    return await latest(session, application) if first is None else first - 1


def _conditions(wanted: Filter) -> list[Any]:
    row = InboundMessageRow
    conditions: list[Any] = [row.application == wanted.application]
    if wanted.destination_address:
        conditions.append(row.destination_address == wanted.destination_address)
    if wanted.source_address:
        conditions.append(row.source_address == wanted.source_address)
    if wanted.start_time:
        conditions.append(row.receive_time >= wanted.start_time)
    if wanted.end_time:
        conditions.append(row.receive_time < wanted.end_time)
    if wanted.intents:
        conditions.append(col(row.intent).in_(wanted.intents))
    if wanted.flagged:
        conditions.append(col(row.flagged).is_(True))
    return conditions
