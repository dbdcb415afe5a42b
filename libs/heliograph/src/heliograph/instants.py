"""ISO 8601 instants as people write them into attributes, read alike by every service.

`2026-03-01`, `2026-03-01T10:30`, `2026-03-01T10:30:00.5Z`, `2026-03-01T10:30+05:30`: what Java's
`ISO_INSTANT` writes and people write. Without an offset it is UTC.
"""

import re
from datetime import UTC, datetime
from typing import Final

PATTERN: Final = (
    r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
    r"(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?)?$"
)
"""The same expression for Python, PostgreSQL and ClickHouse; a date that does not exist passes."""

_COMPILED: Final = re.compile(PATTERN, re.ASCII)


def read(text: str) -> datetime | None:
    """The instant of a text, to the microsecond; None when it is none."""
    if not _COMPILED.match(text) or text.endswith("\n"):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
