"""Every statement about answers on their way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mesh.store import engine
from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway.tables import ReplySetRow

# A set waits while an earlier one to the same person is still on its way, in whatever process. Two
# sets of 500 people have no one in common: arrays find out by 250,000 comparisons, an object by
# halving.
_CLAIM = """
SELECT * FROM reply_sets s
WHERE state = 'PENDING' AND attempt_time <= $1 AND NOT EXISTS (
    SELECT FROM reply_sets earlier
    WHERE earlier.state = 'PENDING' AND earlier.id < s.id
        AND earlier.application = s.application
        AND jsonb_object(earlier.addresses, earlier.addresses) ?| s.addresses
)
ORDER BY attempt_time, id LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_LINK = """
UPDATE inbound_messages m SET reply = answered.reply, reply_text = answered.reply_text
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS answered (application, inbound_message, reply, reply_text)
WHERE m.application = answered.application AND m.inbound_message = answered.inbound_message
"""


async def add(session: AsyncSession, rows: Sequence[ReplySetRow]) -> None:
    """Promise answers."""
    session.add_all(rows)


async def claim(session: AsyncSession, now: datetime, limit: int) -> Sequence[ReplySetRow]:
    """Sets whose turn it is, locked until the transaction ends."""
    claimed = await (await engine.raw(session)).fetch(_CLAIM, now, limit)
    return sorted((ReplySetRow(**record) for record in claimed), key=lambda row: row.id or 0)


async def done(connection: Any, ids: Sequence[int]) -> None:
    """Forget sets that messaging has accepted."""
    await connection.execute("DELETE FROM reply_sets WHERE id = ANY($1::bigint[])", ids)


async def link(connection: Any, answered: Sequence[tuple[str, str, str, str]]) -> None:
    """Note by which message, and in which words, each text was answered; it is given by application
    and id."""
    if answered:
        await connection.execute(_LINK, *map(list, zip(*answered, strict=True)))


async def again(
    session: AsyncSession, set_id: int, attempts: int, failure: str, attempt_time: datetime
) -> None:
    """Try a set again later."""
    await session.exec(
        update(ReplySetRow)
        .where(col(ReplySetRow.id) == set_id)
        .values(attempts=attempts, failure=failure, attempt_time=attempt_time)
    )


async def refuse(session: AsyncSession, set_id: int, failure: str) -> None:
    """Give a set up; its row stays for a person to look at."""
    await session.exec(
        update(ReplySetRow)
        .where(col(ReplySetRow.id) == set_id)
        .values(state="REFUSED", failure=failure)
    )
