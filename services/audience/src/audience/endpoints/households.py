"""Reads which users a write may bring to their limit, and what endpoints those have.

The caller holds the locks of these users, or of the whole application: nobody adds meanwhile.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg
from heliograph.audience.v1.application_pb2 import ApplicationSettings

from audience.applications import settings
from audience.endpoints.records import joined
from audience.endpoints.user_limits import PUSH, Household, Member, UserLimits

LIMIT_MAX: Final = 1000
"""The largest limit that an application can have."""

# Users that nobody has met yet are told sooner than by counting; one by one, as a condition on all
# of them reads all endpoints of an application that statistics have not met.
_ANY: Final = """
SELECT EXISTS (
    SELECT FROM unnest(string_to_array($2, chr(31))) AS wanted (user_id)
    CROSS JOIN LATERAL (
        SELECT FROM endpoint
        WHERE application = $1 AND user_id <> '' AND user_id = wanted.user_id LIMIT 1
    ) AS found
)
"""

# User by user, so that no plan reads more than the index of users holds of them. Whoever has more
# than any limit allows need not be counted to the end.
_COUNTS: Final = """
SELECT wanted.user_id, found.size
FROM unnest(string_to_array($2, chr(31))) AS wanted (user_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS size FROM (
        SELECT FROM endpoint
        WHERE application = $1 AND user_id <> '' AND user_id = wanted.user_id LIMIT $3
    ) AS counted
) AS found
WHERE found.size > 0
"""

# Under the policy that spares all but push endpoints, only those can go.
_LEAST_RECENT: Final = """
SELECT wanted.user_id, e.endpoint, e.update_time, e.channel_type
FROM unnest(string_to_array($2, chr(31))) AS wanted (user_id)
CROSS JOIN LATERAL (
    SELECT endpoint, update_time, channel_type FROM endpoint
    WHERE application = $1 AND user_id <> '' AND user_id = wanted.user_id
        AND ($4::smallint[] IS NULL OR channel_type = ANY($4))
    ORDER BY update_time, endpoint LIMIT $3
) AS e
"""


async def read(
    connection: "asyncpg.Connection[Any]", application: str, gained: dict[str, int], writes: int
) -> UserLimits:
    """The limits of the users that so many writes may bring beyond them; mostly of none.

    `gained` is from `user_limits.gains`.
    """
    if not gained:
        return UserLimits()
    users, most = joined(gained), LIMIT_MAX + writes + 1
    is_known = await connection.fetchval(_ANY, application, users)
    rows = await connection.fetch(_COUNTS, application, users, most) if is_known else []
    counts = {row[0]: row[1] for row in rows}
    if not counts and max(gained.values()) <= 1:
        return UserLimits()  # no limit is less than one
    limit = await settings.read_endpoint_limit(connection, application)
    crowded = [
        user for user, more in gained.items() if counts.get(user, 0) + more > limit.endpoints_max
    ]
    if not crowded:
        return UserLimits()
    # Each write takes at most one of them from its place among the least recent.
    candidates = PUSH if limit.policy == ApplicationSettings.EVICT_PUSH_REFUSE_OTHERS else None
    members = await _least_recent(
        connection, application, crowded, candidates=candidates, most=writes + 1
    )
    found = {user: Household(counts.get(user, 0), members.get(user, {})) for user in crowded}
    return UserLimits(limit, found)


async def _least_recent(
    connection: "asyncpg.Connection[Any]",
    application: str,
    users: Sequence[str],
    *,
    candidates: Iterable[int] | None,
    most: int,
) -> dict[str, dict[str, Member]]:
    channels = None if candidates is None else sorted(candidates)
    rows = await connection.fetch(_LEAST_RECENT, application, joined(users), most, channels)
    found: dict[str, dict[str, Member]] = {}
    for user, endpoint, update_time, channel_type in rows:
        member = Member(update_time, 0, endpoint, channel_type)
        found.setdefault(user, {})[endpoint] = member
    return found
