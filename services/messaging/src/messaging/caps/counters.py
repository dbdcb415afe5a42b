"""The statements on counters: each holds the messages that count, by id, with their times.

One statement reserves for a whole set, and the row of a counter is locked while it does: of two
that are there at the same time, one sees what the other has taken. A message counts once, however
often it is reserved. Counters are always taken in the order of their keys, so that no two
transactions wait for each other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

DAILY: Final = ""
"""The counter over all campaigns; the others are of one campaign each."""

# What lies before $6 does not count any more, and goes when its row is written.
_RESERVE: Final = """
INSERT INTO cap_counters AS c (application, counter, endpoint_id, messages, day)
SELECT $1, $2, r.endpoint_id, jsonb_build_object(r.message_id, $5::float8), $8::date
FROM unnest($3::text[], $4::text[]) AS r (endpoint_id, message_id)
ON CONFLICT (application, counter, endpoint_id) DO UPDATE
SET day = excluded.day, messages = excluded.messages || (
    SELECT coalesce(jsonb_object_agg(m.id, m.time), '{}') FROM jsonb_each(c.messages) m (id, time)
    WHERE m.time::float8 > $6::float8 AND NOT excluded.messages ? m.id
)
WHERE $7::int > (
    SELECT count(*) FROM jsonb_each(c.messages) m (id, time)
    WHERE m.time::float8 > $6::float8 AND NOT excluded.messages ? m.id
)
RETURNING endpoint_id
"""

# Also what is not there yet: whoever makes it would have to be waited for.
_LOCK: Final = """
INSERT INTO cap_counters AS c (application, counter, endpoint_id, messages, day)
SELECT $1, $2, r.endpoint_id, '{}', CURRENT_DATE FROM unnest($3::text[]) AS r (endpoint_id)
ON CONFLICT (application, counter, endpoint_id) DO UPDATE SET day = c.day WHERE false
"""

_GIVE_BACK: Final = """
UPDATE cap_counters c SET messages = c.messages - r.message_id
FROM (
    SELECT $1::text AS application, $2::text AS counter, u.*
    FROM unnest($3::text[], $4::text[]) AS u (endpoint_id, message_id) OFFSET 0
) AS r
WHERE c.application = r.application AND c.counter = r.counter AND c.endpoint_id = r.endpoint_id
"""

_COUNT: Final = """
SELECT c.counter, c.endpoint_id, (
    SELECT count(*) FROM jsonb_each(c.messages) m (id, time) WHERE m.time::float8 > $4::float8
) AS count
FROM (SELECT $1::text AS application, u.* FROM unnest($2::text[]) AS u (endpoint_id) OFFSET 0) AS r
JOIN cap_counters c ON c.application = r.application AND c.counter = $3
    AND c.endpoint_id = r.endpoint_id
"""


@dataclass(frozen=True, slots=True, order=True)
class Reservation:
    """One message to one endpoint."""

    endpoint_id: str
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter of each endpoint, and how much it takes. Messages up to `since` are past."""

    application: str
    key: str
    count_max: int
    since: datetime


async def reserve(
    connection: Any, counter: Counter, reservations: Sequence[Reservation], now: datetime
) -> set[str]:
    """The endpoints that may get theirs. No endpoint may be there twice."""
    ordered = sorted(reservations)
    records = await connection.fetch(
        _RESERVE,
        counter.application,
        counter.key,
        [one.endpoint_id for one in ordered],
        [one.message_id.hex for one in ordered],
        now.timestamp(),
        counter.since.timestamp(),
        counter.count_max,
        now.date(),
    )
    return {record[0] for record in records}


async def lock(connection: Any, counter: Counter, endpoint_ids: Collection[str]) -> None:
    """Keep counters to this transaction, which may then write them in any order."""
    await connection.execute(_LOCK, counter.application, counter.key, sorted(endpoint_ids))


async def give_back(
    connection: Any, application: str, key: str, reservations: Sequence[Reservation]
) -> None:
    """Let messages no longer count."""
    ordered = sorted(reservations)
    await connection.execute(
        _GIVE_BACK,
        application,
        key,
        [one.endpoint_id for one in ordered],
        [one.message_id.hex for one in ordered],
    )


async def counts(connection: Any, counter: Counter, endpoint_ids: Sequence[str]) -> dict[str, int]:
    """How many messages count of each endpoint that has had any."""
    records = await connection.fetch(
        _COUNT, counter.application, endpoint_ids, counter.key, counter.since.timestamp()
    )
    return {record["endpoint_id"]: record["count"] for record in records}
