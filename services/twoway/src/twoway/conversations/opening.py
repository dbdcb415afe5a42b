"""Conversations begin, and open again, with what people write: one statement for a set of texts."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from twoway.conversations.threads import conversation_id
from twoway.tables import InboundMessage

_OPEN = """
INSERT INTO conversations AS c (application, conversation, phone_number, source_address, state,
    assignee, labels, revision, create_time, last_message_time)
SELECT $1, t.conversation, t.phone_number, t.source_address, 'OPEN', '', '{}', 1, t.first, t.last
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
    AS t (conversation, phone_number, source_address, first, last)
ORDER BY t.conversation
ON CONFLICT (application, conversation) DO UPDATE SET state = 'OPEN', revision = c.revision + 1,
    last_message_time = greatest(c.last_message_time, excluded.last_message_time)
"""

Pair = tuple[str, str]


async def open_(connection: Any, application: str, messages: Iterable[InboundMessage]) -> None:
    """Begin or open the conversations of texts that have just been recorded."""
    times: dict[Pair, list[datetime]] = {}
    for row in messages:
        pair = (row.destination_address, row.source_address)
        times.setdefault(pair, []).append(row.receive_time)
    await connection.execute(
        _OPEN,
        application,
        [conversation_id(application, *pair) for pair in times],
        [number for number, _ in times],
        [person for _, person in times],
        [min(received) for received in times.values()],
        [max(received) for received in times.values()],
    )
