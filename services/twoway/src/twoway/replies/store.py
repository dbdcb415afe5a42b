"""Every statement about answers on their way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from twoway.tables import ReplySetRow

_COLUMNS = ", ".join(name for name in ReplySetRow.model_fields if name != "id")
_ADD = f"""
INSERT INTO reply_sets ({_COLUMNS})
SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::reply_sets, $1::jsonb)
"""

# A set waits while an earlier one to the same person is still on its way, in whatever process. Two
# sets of 500 people have no one in common: arrays find out by 250,000 comparisons, an object by
# halving.
_DUE = """
FROM reply_sets s
WHERE state = 'PENDING' AND attempt_time <= $1 AND NOT EXISTS (
    SELECT FROM reply_sets earlier
    WHERE earlier.state = 'PENDING' AND earlier.id < s.id
        AND earlier.application = s.application
        AND jsonb_object(earlier.addresses, earlier.addresses) ?| s.addresses
)
ORDER BY attempt_time, id LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_ACCEPT = """
WITH accepted AS (DELETE FROM reply_sets WHERE id = ANY($1::bigint[]))
UPDATE inbound_messages m SET reply = answered.reply, reply_text = answered.reply_text
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
    AS answered (application, inbound_message, reply, reply_text)
WHERE m.application = answered.application AND m.inbound_message = answered.inbound_message
"""

_AGAIN = "UPDATE reply_sets SET attempts = $2, failure = $3, attempt_time = $4 WHERE id = $1"
_REFUSE = "UPDATE reply_sets SET state = 'REFUSED', failure = $2 WHERE id = $1"


async def add(connection: Any, rows: Sequence[ReplySetRow]) -> None:
    """Promise answers."""
    if rows:
        sets = [row.model_dump(exclude={"id"}) for row in rows]
        await connection.execute(_ADD, orjson.dumps(sets).decode())


async def claim(connection: Any, now: datetime, limit: int) -> Sequence[ReplySetRow]:
    """Sets whose turn it is, locked until the transaction ends."""
    claimed = await connection.fetch(f"SELECT * {_DUE}", now, limit)
    return sorted((ReplySetRow(**record) for record in claimed), key=lambda row: row.id or 0)


async def is_due(connection: Any, now: datetime) -> bool:
    """Whether a claim would find something: a question that costs no transaction."""
    return await connection.fetchval(f"SELECT id {_DUE}", now, 1) is not None


async def accept(
    connection: Any, ids: Sequence[int], answered: Sequence[tuple[str, str, str, str]]
) -> None:
    """Forget sets that messaging has accepted, and note by which message, and in which words, each
    text was answered; it is given by application and id."""
    columns = zip(*answered, strict=True) if answered else ([],) * 4
    await connection.execute(_ACCEPT, ids, *map(list, columns))


async def again(
    connection: Any, set_id: int, attempts: int, failure: str, attempt_time: datetime
) -> None:
    """Try a set again later."""
    await connection.execute(_AGAIN, set_id, attempts, failure, attempt_time)


async def refuse(connection: Any, set_id: int, failure: str) -> None:
    """Give a set up; its row stays for a person to look at."""
    await connection.execute(_REFUSE, set_id, failure)
