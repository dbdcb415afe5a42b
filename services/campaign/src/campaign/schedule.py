"""When next: pure arithmetic over wall-clock time in a zone.

A rule is met at the same wall-clock time in its zone, also across clock changes. A time that a
clock change leaves out is met when the gap ends; a time that occurs twice is met the first time.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
UTC_ZONE = ZoneInfo("UTC")


class Frequency(Enum):
    """How often a campaign runs."""

    ONCE = "ONCE"
    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


@dataclass(frozen=True, slots=True)
class Rule:
    """A schedule: its first time, how often, in which zone, until when (inclusive)."""

    start_time: datetime
    frequency: Frequency = Frequency.ONCE
    zone: ZoneInfo = UTC_ZONE
    end_time: datetime | None = None


def next_time(rule: Rule, after: datetime) -> datetime | None:
    """The rule's first time later than `after`, in UTC; None when there is none."""
    found = rule.start_time if rule.start_time > after else _later(rule, after)
    if found is None or (rule.end_time is not None and found > rule.end_time):
        return None
    return found.astimezone(UTC)


def _later(rule: Rule, after: datetime) -> datetime | None:
    if rule.frequency is Frequency.ONCE:
        return None
    if rule.frequency is Frequency.HOURLY:
        hours = (after - rule.start_time) // HOUR + 1
        return rule.start_time.astimezone(UTC) + hours * HOUR
    return next(time for time in _wall_clock_times(rule, after) if time > after)


def _wall_clock_times(rule: Rule, after: datetime) -> Iterator[datetime]:
    """The rule's times from a little before `after` on."""
    start = rule.start_time.astimezone(rule.zone).replace(tzinfo=None)
    shift, period_days = SHIFTS[rule.frequency]
    elapsed_days = (after - rule.start_time).days
    index = max(0, elapsed_days // period_days - 1)
    while True:
        yield _instant(shift(start, index), rule.zone)
        index += 1


def _instant(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """The moment a wall clock shows a time; in a gap, the moment the gap ends."""
    moment = wall_clock.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall_clock:
        return moment
    # In a gap the offset before it (fold=0) and after it (fold=1) enclose the missing stretch.
    after_gap = wall_clock.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _first_offset_change(after_gap, moment, zone)


def _first_offset_change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment between two at which the zone's offset changes, to the second."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _add_days(start: datetime, days: int) -> datetime:
    return start + timedelta(days=days)


def _add_weeks(start: datetime, weeks: int) -> datetime:
    return start + timedelta(weeks=weeks)


def _add_months(start: datetime, months: int) -> datetime:
    """The same day so many months on; a month without that day uses its last one."""
    year, month = divmod(start.month - 1 + months, 12)
    year += start.year
    day = min(start.day, monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


SHIFTS: dict[Frequency, tuple[Callable[[datetime, int], datetime], int]] = {
    Frequency.DAILY: (_add_days, 1),
    Frequency.WEEKLY: (_add_weeks, 7),
    Frequency.MONTHLY: (_add_months, 31),
}
"""How the nth time follows from the first, and the longest period in days."""
