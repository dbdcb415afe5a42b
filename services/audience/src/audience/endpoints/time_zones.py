"""Names in the tz database."""

from functools import cache
from zoneinfo import available_timezones


@cache
def names() -> frozenset[str]:
    """Every zone a place can be in; read once, as reading takes a while."""
    return frozenset(name for name in available_timezones() if not name.startswith("posix"))


def proper(text: str) -> str | None:
    """The name of a zone that is written in any case, or None when it is none."""
    return _by_lower_case().get(text.strip().lower())


@cache
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in names()}
