"""The numbers and sender ids that a message might come from."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.originations.selection import SENDER_ID, Candidate
from twoway.pools.consistency import SENDER_ID_CAPABILITIES
from twoway.tables import PhoneNumberRow, PoolSenderIdRow, SenderIdRow

CANDIDATES_MAX = 1_000
"""Numbers, and sender ids, that are looked at; those of the destination's country first."""


async def load(
    session: AsyncSession, application: str, pool: str, country_code: str
) -> list[Candidate]:
    """Those of a pool, or of the whole application."""
    return [
        *await _numbers(session, application, pool, country_code),
        *await _sender_ids(session, application, pool, country_code),
    ]


async def _numbers(
    session: AsyncSession, application: str, pool: str, country_code: str
) -> list[Candidate]:
    row = PhoneNumberRow
    query = select(row).where(row.application == application)
    if pool:
        query = query.where(row.pool == pool)
    nearest = (col(row.country_code) == country_code).desc()
    query = query.order_by(nearest, col(row.phone_number)).limit(CANDIDATES_MAX)
    return [_number(one) for one in (await session.exec(query)).all()]


async def _sender_ids(
    session: AsyncSession, application: str, pool: str, country_code: str
) -> list[Candidate]:
    row, inside = SenderIdRow, PoolSenderIdRow
    query = select(row).where(row.application == application)
    if pool:
        members = select(inside.sender_id).where(
            inside.application == application, inside.pool == pool
        )
        query = query.where(col(row.sender_id).in_(members))
    nearest = (col(row.country_code) == country_code).desc()
    query = query.order_by(nearest, col(row.sender_id)).limit(CANDIDATES_MAX)
    return [_sender_id(one) for one in (await session.exec(query)).all()]


def _number(row: PhoneNumberRow) -> Candidate:
    return Candidate(
        name=names.phone_number(row.application, row.phone_number),
        type=row.type,
        country_code=row.country_code,
        capabilities=frozenset(row.capabilities),
        message_types=frozenset([row.message_type]),
        two_way=row.two_way_enabled,
    )


def _sender_id(row: SenderIdRow) -> Candidate:
    return Candidate(
        name=names.sender_id(row.application, row.sender_id),
        type=SENDER_ID,
        country_code=row.country_code,
        capabilities=frozenset(SENDER_ID_CAPABILITIES),
        message_types=frozenset(row.message_types),
    )
