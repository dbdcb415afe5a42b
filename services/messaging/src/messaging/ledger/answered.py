"""Which message a text answers: the last one that its number sent to whoever wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from heliograph.message_ids import day_of
from heliograph.messaging.v1.message_pb2 import Message

from messaging import addresses
from messaging.ledger.rows import COLUMNS, Row, of_record

ANSWERED_WITHIN: Final = timedelta(days=7)
"""What is written later is about something else."""
RUN_TAKES: Final = timedelta(days=7)
"""A message lies in the partition of the day its run began, and may have left so much later."""

_FIND = f"""
SELECT r.index - 1 AS index, {", ".join(f"m.{name}" for name in COLUMNS)}
FROM unnest($4::uuid[], $5::text[], $6::timestamptz[]) WITH ORDINALITY
    AS r (address_digest, origination, receive_time, index)
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT * FROM messages
        WHERE application = $1 AND address_digest = r.address_digest AND address <> ''
            AND day >= $2 AND day <= $3
        OFFSET 0
    ) AS written
    WHERE origination = r.origination
        AND (sent_time IS NOT NULL OR state IN ($8, $9))
        AND coalesce(sent_time, update_time) <= r.receive_time
        AND coalesce(sent_time, update_time) > r.receive_time - $7::interval
    ORDER BY coalesce(sent_time, update_time) DESC, message_id DESC LIMIT 1
) AS m
"""


_GET = f"""
SELECT {", ".join(f"m.{name}" for name in COLUMNS)}
FROM unnest($2::date[], $3::uuid[]) AS r (day, message_id)
JOIN messages m ON m.application = $1 AND m.day = r.day AND m.message_id = r.message_id
WHERE m.address <> ''
"""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that somebody wrote to a number."""

    source_address: str
    destination_address: str
    receive_time: datetime


async def find(connection: Any, application: str, texts: Sequence[Text]) -> list[Row | None]:
    """The message that each text answers, or None.

    One that was `HANDING` before the text came may have left before it, or not: whoever asks again
    when it has been recorded will hear. One that is `UNKNOWN` is taken for sent.
    """
    times = [text.receive_time for text in texts]
    records = await connection.fetch(
        _FIND,
        application,
        (min(times) - ANSWERED_WITHIN - RUN_TAKES).date(),
        max(times).date(),
        [addresses.digest(text.source_address) for text in texts],
        [text.destination_address for text in texts],
        times,
        ANSWERED_WITHIN,
        Message.HANDING,
        Message.UNKNOWN,
    )
    found: list[Row | None] = [None] * len(texts)
    for record in records:
        found[record["index"]] = of_record(record)
    return found


async def get(connection: Any, application: str, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """The messages with these ids, but those to people who have been erased."""
    days = [day_of(message_id) for message_id in ids]
    rows = map(of_record, await connection.fetch(_GET, application, days, ids))
    return {row.message_id: row for row in rows}
