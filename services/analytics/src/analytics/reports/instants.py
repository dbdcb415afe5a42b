"""Instants in attributes as SQL of ClickHouse, read as `heliograph.instants` reads them. Pure.

By arithmetic on the digits, as ClickHouse has no type for all the years that PostgreSQL has.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from heliograph.instants import PATTERN

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

_SECOND_MICROS: Final = 1_000_000
_DAY_MICROS: Final = 86_400 * _SECOND_MICROS
# Years before 1970 are negative, and ClickHouse divides towards zero.
_SHIFT_DAYS: Final = 400_000
# Days from the 1st of March of year 0, where the calendar's pattern begins, to 1970.
_EPOCH_DAYS: Final = 719_468
_MONTH_DAYS: Final = "[31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]"


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def day(microseconds: int) -> int:
    """The UTC calendar day, counted from 1970."""
    return microseconds // _DAY_MICROS


def is_instant_sql(text: str) -> str:
    """SQL for whether the SQL expression `text` is an instant."""
    year, month, number = _number(text, 1, 4), _number(text, 6, 2), _number(text, 9, 2)
    is_leap = f"({year} % 4 = 0 AND ({year} % 100 != 0 OR {year} % 400 = 0))"
    last = f"{_MONTH_DAYS}[{month}] + ({month} = 2 AND {is_leap})"
    # What is after the last month of the list has 0 days.
    return f"(match({text}, {_quoted(PATTERN)}) AND {number} BETWEEN 1 AND {last})"


def micros_sql(text: str) -> str:
    """SQL for `micros` of the SQL expression `text`; a number without meaning if it is none."""
    month = _number(text, 6, 2)
    year = f"({_number(text, 1, 4)} - ({month} <= 2))"
    of_year = f"intDiv(153 * ({month} + if({month} > 2, -3, 9)) + 2, 5) + {_number(text, 9, 2)} - 1"
    leaps = f"intDiv({year}, 4) - intDiv({year}, 100) + intDiv({year}, 400)"
    days = f"(365 * {year} + {leaps} + {of_year} - {_EPOCH_DAYS})"
    clock = f"({_number(text, 12, 2)} * 3600 + {_number(text, 15, 2)} * 60 + {_seconds(text)})"
    seconds = f"({days} * 86400 + {clock} - {_offset_minutes(text)} * 60)"
    fraction = f"toInt64OrZero(rightPad(extract({text}, {_quoted(_FRACTION)}), 6, '0'))"
    return f"({seconds} * {_SECOND_MICROS} + {fraction})"


def day_sql(text: str) -> str:
    """SQL for the `day` of the SQL expression `text`."""
    shifted = f"{micros_sql(text)} + {_SHIFT_DAYS * _DAY_MICROS}"
    return f"(intDiv({shifted}, {_DAY_MICROS}) - {_SHIFT_DAYS})"


_FRACTION: Final = r"\.([0-9]{1,6})"
_OFFSET: Final = r"[T ][^+-]*([+-][0-9:]+)$"


def _number(text: str, begin: int, length: int) -> str:
    return f"toInt64OrZero(substring({text}, {begin}, {length}))"


def _seconds(text: str) -> str:
    return f"if(substring({text}, 17, 1) = ':', {_number(text, 18, 2)}, 0)"


def _offset_minutes(text: str) -> str:
    offset = f"extract({text}, {_quoted(_OFFSET)})"
    minutes = f"({_number(offset, 2, 2)} * 60 + toInt64OrZero(right({offset}, 2)))"
    return f"if(startsWith({offset}, '-'), -{minutes}, {minutes})"


def _quoted(pattern: str) -> str:
    escaped = pattern.replace("\\", "\\\\")
    return f"'{escaped}'"
