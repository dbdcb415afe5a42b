"""The question that is asked before anything is sent: who of these must not be written to?"""

from collections.abc import Sequence
from typing import Any

from mesh.aip import resource_names

from twoway import addresses, names

# Answered from the index alone. An identity that is not registered has no list, and then every list
# of the application counts: silence is the smaller mistake.
_OPTED_OUT = """
WITH chosen AS (
    SELECT opt_out_list FROM phone_numbers WHERE application = $1 AND phone_number = $2
)
SELECT DISTINCT o.phone_number
FROM unnest($3::text[]) AS asked (phone_number)
JOIN opted_out_numbers o ON o.application = $1 AND o.phone_number = asked.phone_number
WHERE NOT EXISTS (SELECT FROM chosen)
    OR o.opt_out_list = (SELECT opt_out_list FROM chosen)
"""


async def opted_out(
    pool: Any, application: str, origination_identity: str, destinations: Sequence[str]
) -> list[str]:
    """Those of the destinations that are opted out, spelled as they came, in their order.

    Reads what is committed at this moment. The pool must lead to the primary.
    """
    canonical = [addresses.canonical(address) for address in destinations]
    number = identity(application, origination_identity)
    rows = await pool.fetch(_OPTED_OUT, application, number, canonical)
    if not rows:
        return []
    found = {row[0] for row in rows}
    return [asked for asked, known in zip(destinations, canonical, strict=True) if known in found]


def identity(application: str, origination_identity: str) -> str:
    """The number that an identity is, bare or named; empty for one that is not a number.

    Refuses (APPLICATION_MISMATCH) a name of another application.
    """
    if "/" not in origination_identity:
        return addresses.canonical(origination_identity)
    names.same_application(application, origination_identity, "origination_identity")
    ids = resource_names.match(names.PHONE_NUMBER, origination_identity)
    return addresses.canonical(ids["phone_number"]) if ids else ""
