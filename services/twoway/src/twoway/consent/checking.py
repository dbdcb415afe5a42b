"""The question that is asked before anything is sent: who of these must not be written to?"""

from collections.abc import Sequence
from typing import Any

from mesh.aip import resource_names

from twoway import addresses, names

# Answered from the index alone. An identity that is not registered has no list, and then every list
# of the application counts: silence is the smaller mistake. A name without a country may stand for
# several sender ids, and then their lists count together. Each destination is looked up by itself,
# fenced with OFFSET 0: before it has statistics PostgreSQL reads all of the application's instead.
_OPTED_OUT = """
WITH chosen AS ({chosen})
SELECT DISTINCT asked.phone_number
FROM unnest($3::text[]) AS asked (phone_number)
CROSS JOIN LATERAL (
    SELECT opt_out_list FROM opted_out_numbers
    WHERE application = $1 AND phone_number = asked.phone_number
    OFFSET 0
) AS o
WHERE NOT EXISTS (SELECT FROM chosen)
    OR o.opt_out_list = ANY (ARRAY(SELECT opt_out_list FROM chosen))
"""
_CHOSEN = {
    names.PHONE_NUMBER: "SELECT opt_out_list FROM phone_numbers"
    " WHERE application = $1 AND phone_number = $2",
    names.POOL: "SELECT opt_out_list FROM pools WHERE application = $1 AND pool = $2",
    names.SENDER_ID: "SELECT opt_out_list FROM sender_ids"
    " WHERE application = $1 AND (sender_id = $2 OR address = $2)",
}
STATEMENTS = {kind: _OPTED_OUT.format(chosen=chosen) for kind, chosen in _CHOSEN.items()}
"""The question by the pattern of the identity's name."""


async def opted_out(
    pool: Any, application: str, origination_identity: str, destinations: Sequence[str]
) -> list[str]:
    """Those of the destinations that are opted out, spelled as they came, in their order.

    Reads what is committed at this moment. The pool must lead to the primary.
    """
    canonical = [addresses.canonical(address) for address in destinations]
    kind, key = identity(application, origination_identity)
    rows = await pool.fetch(STATEMENTS[kind], application, key, canonical)
    if not rows:
        return []
    found = {row[0] for row in rows}
    return [asked for asked, known in zip(destinations, canonical, strict=True) if known in found]


def identity(application: str, origination_identity: str) -> tuple[str, str]:
    """The pattern of names that an identity has, and its key: what is not named is a number, or
    the bare name of sender ids. The key is empty for a name of something else.

    Refuses (APPLICATION_MISMATCH) a name of another application.
    """
    if "/" not in origination_identity:
        address = addresses.canonical(origination_identity)
        return (names.PHONE_NUMBER if addresses.is_phone(address) else names.SENDER_ID), address
    names.same_application(application, origination_identity, "origination_identity")
    for kind in (names.POOL, names.SENDER_ID):
        if ids := resource_names.match(kind, origination_identity):
            return kind, ids[kind.rpartition("{")[2].rstrip("}")]
    ids = resource_names.match(names.PHONE_NUMBER, origination_identity)
    return names.PHONE_NUMBER, addresses.canonical(ids["phone_number"]) if ids else ""
