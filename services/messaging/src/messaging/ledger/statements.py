"""How statements on the ledger are written, so that their plans are right on a day's first row too.

A new partition has no statistics, and without them PostgreSQL believes that `application = $1 AND
day = $2` finds a single row: it would read the whole day and join it to the few rows that are
meant. So application and day come to the join from a fenced subquery, like the id, and no plan is
left but one index lookup for each row. The partition is named, which saves opening the others.
"""

from datetime import date
from functools import lru_cache

PLANNING = {
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}
"""Settings of the ledger's connections. A plan is kept, so one that is made while the day has ten
rows has to be right for ten million; what is left to choose is an index."""

JOINED = "m.application = r.application AND m.day = r.day AND m.message_id = r.message_id"
"""A ledger row `m` is the one meant by the given row `r`."""


def partition(day: date) -> str:
    """The partition of a day."""
    return f"messages_{day:%Y%m%d}"


@lru_cache(maxsize=1024)
def on_day(statement: str, day: date) -> str:
    """The statement, its `{partition}` filled in."""
    return statement.format(partition=partition(day))


def given(arrays: str, columns: str) -> str:
    """Rows given as arrays, with $1 as their application and $2 as their day."""
    return (
        f"(SELECT $1::text AS application, $2::date AS day, u.* "
        f"FROM unnest({arrays}) AS u ({columns}) OFFSET 0) AS r"
    )
