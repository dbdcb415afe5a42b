"""Who may write what at the same time.

Merging reads before it writes, and an address has one holder, so writes to the same ids or
addresses take turns. A small write locks just those, by hash; a large one locks the whole
application, as thousands of locks would fill the server's lock table. All locks end with the
transaction.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import asyncpg
from mesh.rpc.auth.gone import deleted

# Plans are made anew for each write: a table that grows by a million rows between two statistics
# runs must not be read by the plan that suited an empty one.
WHOLE: Final = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('enable_seqscan', 'off', true), pg_advisory_xact_lock($1)
"""
SHARED: Final = "SELECT pg_advisory_xact_lock_shared($1)"
# Asked after the application's lock, which its deletion takes too: whoever comes later sees it.
IS_GONE: Final = "EXISTS (SELECT FROM tombstones WHERE application = $1)"
# One row for all of them: a query of which one row is fetched locks no further.
EACH: Final = f"""
SELECT count(pg_advisory_xact_lock(key)), {IS_GONE} FROM unnest($2::bigint[]) AS key
"""


async def lock_application(connection: "asyncpg.Connection[Any]", application: str) -> None:
    """For a large write: nobody else writes to the application's endpoints and users.

    Raises NotFound (APPLICATION_DELETED), as `lock` does.
    """
    await connection.execute(WHOLE, _key("application", application))
    if await connection.fetchval(f"SELECT {IS_GONE}", application):
        raise deleted(application)


async def lock_shared(connection: "asyncpg.Connection[Any]", application: str) -> None:
    """For a small write, before its own locks: no large write goes on."""
    await connection.execute(SHARED, _key("application", application))


async def lock(
    connection: "asyncpg.Connection[Any]", application: str, kind: str, ids: Iterable[str]
) -> None:
    """Lock ids of one kind, in an order all writers keep. Kinds are locked in a fixed order too."""
    keys = sorted({_key(kind, application, one) for one in ids})
    if keys and await connection.fetchval(EACH, application, keys, column=1):
        raise deleted(application)


def _key(*parts: str) -> int:
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
