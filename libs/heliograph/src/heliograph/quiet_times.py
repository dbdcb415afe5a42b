"""Whether it is quiet time where a recipient is, by the clock on the wall there. Pure.

Quiet are whole minutes, both ends included, as Pinpoint's; a quiet time that ends before it starts
spans midnight. Clocks that are put forward or back need no rule: what counts is what they show.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from heliograph.audience.v1.application_pb2 import ApplicationSettings
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

ZONES_KEPT = 2048
"""More than there are; who writes endpoints can make up names without end."""

DAY_MINUTES = 24 * 60
SOUGHT_MINUTES = 2 * DAY_MINUTES

QUIET, HEARD, UNKNOWN = Reason.QUIET_TIME, Reason.REASON_UNSPECIFIED, Reason.MISSING_TIMEZONE


class QuietTimes:
    """A quiet time at one moment, to be asked for many endpoints."""

    def __init__(self, quiet_time: SendBatch.QuietTime, now: datetime) -> None:
        self._start, self._end = _minute(quiet_time.start), _minute(quiet_time.end)
        self._default = quiet_time.default_time_zone
        self._without_zone = _without_zone(quiet_time)
        self._now = now
        self._known: dict[str, Reason.ValueType] = {}
        self._ends: dict[str, datetime | None] = {}

    def reason(self, endpoint: Endpoint) -> Reason.ValueType:
        """`QUIET_TIME`, or `MISSING_TIMEZONE`, or nothing against a message now."""
        name = zone_name(endpoint)
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._judge(self.zone(name))
        return found

    def zone(self, name: str) -> ZoneInfo | None:
        """The zone of that name; for an endpoint without one, what the policy says."""
        return zone(name) or zone(self._default)

    def is_quiet(self, place: ZoneInfo) -> bool:
        """Whether the clocks of the zone show a quiet minute."""
        return self._is_quiet_at(self._now, place)

    def _is_quiet_at(self, moment: datetime, place: ZoneInfo) -> bool:
        local = moment.astimezone(place)
        minute = local.hour * 60 + local.minute
        if self._start <= self._end:
            return self._start <= minute <= self._end
        return minute >= self._start or minute <= self._end

    def end(self, endpoint: Endpoint) -> datetime | None:
        """When it is over for an endpoint in quiet time: the first minute that is not quiet.

        None when there is none within two days.
        """
        name = zone_name(endpoint)
        if name not in self._ends:
            self._ends[name] = self._end_in(self.zone(name))
        return self._ends[name]

    def lasted(self, endpoint: Endpoint) -> timedelta:
        """For how long it has been quiet where the endpoint is, by the dial."""
        local = self._now.astimezone(self.zone(zone_name(endpoint)))
        minutes = (local.hour * 60 + local.minute - self._start) % DAY_MINUTES
        return timedelta(minutes=minutes, seconds=local.second, microseconds=local.microsecond)

    def _end_in(self, place: ZoneInfo | None) -> datetime | None:
        begin = self._now.replace(second=0, microsecond=0)
        if place is None or not self._is_quiet_at(begin, place):
            return begin
        local = begin.astimezone(place)
        left = (self._end + 1 - local.hour * 60 - local.minute) % DAY_MINUTES
        found = begin + timedelta(minutes=left)
        if found.astimezone(place).utcoffset() == local.utcoffset():
            return None if self._is_quiet_at(found, place) else found
        # Clocks are changed in between: minutes are left out, or come twice.
        moments = (begin + timedelta(minutes=minutes) for minutes in range(1, SOUGHT_MINUTES))
        return next((one for one in moments if not self._is_quiet_at(one, place)), None)

    def _judge(self, place: ZoneInfo | None) -> Reason.ValueType:
        if place is None:
            return self._without_zone
        return QUIET if self.is_quiet(place) else HEARD


def is_endless(start: str, end: str) -> bool:
    """Whether every minute of the day is quiet, so that nobody could wait for its end."""
    return (_minute(end) + 1) % DAY_MINUTES == _minute(start)


def of(quiet_time: SendBatch.QuietTime, now: datetime) -> QuietTimes | None:
    """The quiet time at this moment; None when there is none at all."""
    return QuietTimes(quiet_time, now) if quiet_time.start else None


def zone_name(endpoint: Endpoint) -> str:
    """The zone that the endpoint states, else the estimated one; empty when neither is there."""
    stated = endpoint.demographic.timezone
    return stated if zone(stated) else endpoint.estimated_time_zone.time_zone


@lru_cache(ZONES_KEPT)
def zone(name: str) -> ZoneInfo | None:
    """The zone of that name in the tz database, if there is one."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _minute(time_of_day: str) -> int:
    hours, _, minutes = time_of_day.partition(":")
    return int(hours) * 60 + int(minutes)


def _without_zone(quiet_time: SendBatch.QuietTime) -> Reason.ValueType:
    anyway = quiet_time.missing_time_zone_policy == ApplicationSettings.SEND_ANYWAY
    return HEARD if anyway else UNKNOWN
