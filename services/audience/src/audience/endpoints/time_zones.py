"""Names in the tz database."""

from functools import cache
from zoneinfo import available_timezones


@cache
def names() -> frozenset[str]:
    """Every zone a place can be in; read once, as reading takes a while."""
    return frozenset(name for name in available_timezones() if not name.startswith("posix"))
