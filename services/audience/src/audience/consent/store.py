"""Every statement about the opt-outs that were heard of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from audience.consent.facts import EVERYBODY, Fact

# A list's end and the opt-outs on it must see each other, whoever hears of them first.
_LOCK: Final = """
SELECT pg_advisory_xact_lock(hashtextextended('opt-outs of ' || application, 0))
FROM unnest($1::text[]) AS application
"""
_KEEP: Final = """
INSERT INTO address_opt_out AS known
    (application, address, opt_out_list, opted_out, change_time, origination_identity)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::boolean[], $5::timestamptz[], $6::text[]
) AS heard (application)
WHERE NOT EXISTS (
    SELECT FROM tombstones gone WHERE gone.application::text = heard.application
)
ON CONFLICT (application, address, opt_out_list) DO UPDATE SET
    opted_out = EXCLUDED.opted_out,
    change_time = EXCLUDED.change_time,
    origination_identity = EXCLUDED.origination_identity
WHERE (EXCLUDED.change_time, EXCLUDED.opted_out) > (known.change_time, known.opted_out)
"""
_ENDED: Final = """
SELECT ended.application, ended.opt_out_list
FROM unnest($1::text[], $2::text[]) AS asked (application, opt_out_list)
CROSS JOIN LATERAL (
    SELECT application, opt_out_list FROM address_opt_out
    WHERE application = asked.application AND address = '' AND opt_out_list = asked.opt_out_list
    OFFSET 0
) AS ended
"""
_END_LISTS: Final = """
UPDATE address_opt_out AS known SET opted_out = false, change_time = ended.change_time
FROM unnest($1::text[], $2::text[]) AS asked (application, opt_out_list)
JOIN address_opt_out ended ON ended.application = asked.application
    AND ended.address = '' AND ended.opt_out_list = asked.opt_out_list
WHERE known.application = ended.application AND known.opt_out_list = ended.opt_out_list
    AND known.opted_out AND known.change_time <= ended.change_time
"""
_END_HEARD: Final = f"{_END_LISTS} AND known.address = ANY($3::text[])"
"""The same for people who were heard of after their list had ended."""
_BEHIND: Final = """
SELECT a.application FROM application a WHERE NOT EXISTS (
    SELECT FROM address_opt_out o
    WHERE o.application = a.application AND o.address = '' AND o.opt_out_list = ''
)
AND NOT EXISTS (SELECT FROM tombstones gone WHERE gone.application::text = a.application::text)
ORDER BY a.application LIMIT 1
"""
_OPTED_OUT: Final = """
SELECT DISTINCT address FROM address_opt_out
WHERE application = $1 AND address = ANY($2::text[]) AND opted_out
"""
_OPT_OUTS: Final = """
SELECT opt_out_list, change_time, origination_identity FROM address_opt_out
WHERE application = $1 AND address = $2 AND opted_out ORDER BY change_time, opt_out_list
"""


@dataclass(frozen=True, slots=True)
class OptOut:
    """That an address is on a list, since when, and by which number it was written to."""

    opt_out_list: str
    change_time: datetime
    origination_identity: str


async def keep(connection: Any, facts: Sequence[Fact]) -> None:
    """Keep those facts that are newer than what is known, in the caller's transaction.

    Each key at most once. What comes late of a deleted application is let go.
    """
    columns = [list(column) for column in zip(*map(_values, facts), strict=True)]
    lists = sorted({(fact.application, fact.opt_out_list) for fact in facts})
    applications, list_ids = zip(*lists, strict=True)
    await connection.execute(_LOCK, sorted(set(applications)))
    await connection.execute(_KEEP, *columns)
    ended = await connection.fetch(_ENDED, list(applications), list(list_ids))
    if ended:
        await _end(connection, ended, facts)


async def _end(connection: Any, ended: Sequence[Any], facts: Sequence[Fact]) -> None:
    """Ends what is on ended lists. To end one is to look at everybody who is on any."""
    keys = [list(column) for column in zip(*ended, strict=True)]
    addresses = [fact.address for fact in facts]
    if EVERYBODY in addresses:
        await connection.execute(_END_LISTS, *keys)
    else:
        await connection.execute(_END_HEARD, *keys, addresses)


async def opt_outs(connection: Any, application: str, address: str) -> list[OptOut]:
    """The lists that an address is on, the oldest opt-out first."""
    rows = await connection.fetch(_OPT_OUTS, application, address)
    return [OptOut(*row) for row in rows]


async def behind(connection: Any) -> str | None:
    """An application whose lists were not read; None when all were."""
    found: str | None = await connection.fetchval(_BEHIND)
    return found


async def opted_out(connection: Any, application: str, addresses: Sequence[str]) -> set[str]:
    """Those of the addresses that are on any list."""
    if not addresses:
        return set()
    rows = await connection.fetch(_OPTED_OUT, application, addresses)
    return {row[0] for row in rows}


def _values(fact: Fact) -> tuple[Any, ...]:
    return (*fact.key, fact.opted_out, fact.change_time, fact.origination_identity)
