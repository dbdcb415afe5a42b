"""Intervals and days as requests name them, with their defaults and limits. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.timestamp_pb2 import Timestamp
from mesh.errors.refusals import invalid

DEFAULT = timedelta(days=30)
DAYS_MAX = 366


class Interval(Protocol):
    """A request with optional ends."""

    @property
    def start_time(self) -> Timestamp: ...
    @property
    def end_time(self) -> Timestamp: ...
    def HasField(self, field_name: Literal["start_time", "end_time"]) -> bool: ...


@dataclass(frozen=True)
class Days:
    """Whole days of a zone, both ends included."""

    first: date
    last: date
    zone: str

    @property
    def count(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def starts(self, days_before: int = 0) -> datetime:
        """When the first day begins, or the one so many days before it."""
        return _midnight(self.first - timedelta(days=days_before), self.zone)

    def ends(self) -> datetime:
        """When the day after the last one begins."""
        return _midnight(self.last + timedelta(days=1), self.zone)


def ends(request: Interval, now: datetime) -> tuple[datetime, datetime]:
    """Start and end; by default the 30 days before now. Refuses (INTERVAL_INVALID) end ≤ start."""
    end = _time(request.end_time) if request.HasField("end_time") else now
    start = _time(request.start_time) if request.HasField("start_time") else end - DEFAULT
    if start >= end:
        raise invalid("INTERVAL_INVALID", "start_time", "the start must be before the end")
    return start, end


def days(request: Interval, time_zone: str, now: datetime) -> Days:
    """The days of an interval, up to 366; by default the last 30 and today."""
    start, end = ends(request, now)
    zone = _zone(time_zone or "UTC")
    found = Days(start.astimezone(zone).date(), end.astimezone(zone).date(), zone.key)
    if found.count > DAYS_MAX:
        raise invalid("INTERVAL_INVALID", "start_time", f"more than {DAYS_MAX} days")
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(
            "TIME_ZONE_UNKNOWN", "time_zone", f"{name} is not in the tz database"
        ) from None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
