"""One writer of consent and of inbound messages at a time, per application.

So nobody decides on a standing that somebody else is changing, and inbound messages commit in the
order of their sequence: a reader who continues after one never misses a slower one.
"""

import hashlib
from typing import Any

from sqlalchemy import func, select
from sqlmodel.ext.asyncio.session import AsyncSession


async def hold(session: AsyncSession, application: str) -> None:
    """Wait for this application's turn; it ends with the transaction."""
    await session.scalar(select(func.pg_advisory_xact_lock(_key(application))))


async def hold_raw(connection: Any, application: str) -> None:
    """The same on asyncpg's connection."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _key(application))


async def hold_identities(session: AsyncSession, application: str) -> None:
    """Wait for the turn to change which identities belong together, and their keywords.

    A number that joins a pool is compared with it in many rows; nobody changes one of them
    meanwhile. Whoever takes both locks takes this one first.
    """
    await session.scalar(select(func.pg_advisory_xact_lock(_key(f"identities {application}"))))


def _key(application: str) -> int:
    digest = hashlib.blake2b(f"twoway {application}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
