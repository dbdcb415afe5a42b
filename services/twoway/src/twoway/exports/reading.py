"""Who is on a list, page by page in the order of their numbers."""

from collections.abc import Sequence
from typing import Any, Final

PAGE_NUMBERS: Final = 10_000

_PAGE: Final = """
SELECT phone_number, opt_out_time, source, confirmed, origination_identity, inbound_message,
    caller, text, comment, application, opt_out_list
FROM opted_out_numbers
WHERE application = $1 AND opt_out_list = $2 AND phone_number > $3
ORDER BY phone_number LIMIT $4
"""
_COUNT: Final = (
    "SELECT count(*) FROM opted_out_numbers WHERE application = $1 AND opt_out_list = $2"
)


async def page(
    pool: Any, application: str, opt_out_list: str, after: str, limit: int
) -> Sequence[Any]:
    """The next numbers, at most so many."""
    rows: Sequence[Any] = await pool.fetch(_PAGE, application, opt_out_list, after, limit)
    return rows


async def count(pool: Any, application: str, opt_out_list: str) -> int:
    """How many they are."""
    return int(await pool.fetchval(_COUNT, application, opt_out_list))
