"""Reads of users."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import asyncpg

from audience.users.profiles import Profile

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.Pool[asyncpg.Record]"

_COUNTS: Final = """
SELECT user_id, count(*) FROM endpoint
WHERE application = $1 AND user_id = ANY($2::text[]) AND user_id <> '' GROUP BY user_id
"""

_PAGE: Final = """
SELECT user_id, attributes, create_time, update_time, revision FROM user_profile
WHERE application = $1 AND user_id > $2 ORDER BY user_id LIMIT $3
"""


async def endpoint_counts(
    connection: Connection, application: str, user_ids: Iterable[str]
) -> dict[str, int]:
    """How many endpoints each of the users has; those without any are left out."""
    rows = await connection.fetch(_COUNTS, application, list(user_ids))
    return {row[0]: row[1] for row in rows}


async def page(
    connection: Connection, application: str, *, after: str, limit: int
) -> Sequence[Profile]:
    """The next users that have attributes, by user id."""
    rows = await connection.fetch(_PAGE, application, after, limit)
    return [Profile(*row) for row in rows]
