"""The statements on users."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, Final

import asyncpg

from audience.endpoints.records import Record, Times, escaped, joined
from audience.users.profiles import Profile

COLUMNS: Final = (
    *("application", "user_id", "attributes", "create_time", "update_time", "revision"),
)

READ: Final = """
SELECT user_id, attributes, create_time, update_time, revision FROM user_profile
WHERE application = $1 AND user_id = ANY(string_to_array($2, chr(31)))
"""

UPSERT: Final = """
INSERT INTO user_profile (application, user_id, attributes, create_time, update_time, revision)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::jsonb[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
ON CONFLICT (application, user_id) DO UPDATE SET
    attributes = EXCLUDED.attributes,
    update_time = EXCLUDED.update_time,
    revision = user_profile.revision + 1
"""


async def read(
    connection: "asyncpg.Connection[Any]", application: str, user_ids: Iterable[str]
) -> dict[str, Profile]:
    """Those of the users that have attributes, by user id."""
    wanted = joined(user_ids)
    rows = await connection.fetch(READ, application, wanted) if wanted else []
    return {row[0]: Profile(*row) for row in rows}


async def upsert(connection: "asyncpg.Connection[Any]", rows: Sequence[Record]) -> None:
    """Write users, new or not, in one statement."""
    if rows:
        await connection.execute(UPSERT, *map(list, zip(*rows, strict=True)))


async def copy(connection: "asyncpg.Connection[Any]", text: bytes) -> None:
    """Write users that are known to be new, from `copy_text`."""
    if text:
        await connection.copy_to_table("user_profile", source=BytesIO(text), columns=COLUMNS)


def copy_text(rows: Iterable[Record]) -> bytes:
    """Rows of users in the text form of COPY."""
    time = Times()
    return escaped(
        f"{row[0]}\t{row[1]}\t{row[2]}\t{time[row[3]]}\t{time[row[4]]}\t{row[5]}\n" for row in rows
    )
