"""When an alarm goes off, and when it is quiet again. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from twoway.alarms.tables import OptOutAlarmRow, OptOutAlarmStateRow

OK, ALARM = "OK", "ALARM"
PENDING, DONE = "PENDING", "DONE"


class Verdict(Enum):
    """What is to happen."""

    STAY = "stay"
    TRIGGER = "trigger"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened to a campaign since an alarm began to count."""

    opted_out: int
    delivered: int


def begin(alarm: OptOutAlarmRow, trigger_time: datetime | None, now: datetime) -> datetime:
    """Since when counts: its window, and nothing that has set it off already."""
    since = now - timedelta(seconds=alarm.window_seconds)
    return max(since, trigger_time) if trigger_time else since


def is_loud(alarm: OptOutAlarmRow, counts: Counts) -> bool:
    """Whether more people opt out than the alarm bears, of enough messages to tell."""
    enough = counts.delivered > 0 and counts.delivered >= alarm.delivered_min
    return enough and counts.opted_out > alarm.rate_max * counts.delivered


def verdict(
    alarm: OptOutAlarmRow, state: OptOutAlarmStateRow, counts: Counts, now: datetime
) -> Verdict:
    """What the counts mean for an alarm that stands so."""
    in_alarm = state.state == ALARM
    if is_loud(alarm, counts):
        # It was told, and is still so. But a campaign that was resumed is to be paused again.
        return Verdict.STAY if in_alarm and not alarm.pause_campaign else Verdict.TRIGGER
    if not in_alarm:
        return Verdict.STAY
    fell = counts.delivered > 0 and counts.delivered >= alarm.delivered_min
    over = state.trigger_time is None or begin(alarm, None, now) >= state.trigger_time
    return Verdict.CLEAR if fell or over else Verdict.STAY


def take(
    alarm: OptOutAlarmRow, state: OptOutAlarmStateRow, counts: Counts, now: datetime
) -> Verdict:
    """Note the counts and what they mean; what is to be told."""
    found = verdict(alarm, state, counts, now)
    state.opted_out_count, state.delivered_count = counts.opted_out, counts.delivered
    state.count_time = now
    if found is Verdict.TRIGGER:
        if state.state != ALARM:
            state.state, state.state_time = ALARM, now
        state.trigger_time = now
        if alarm.pause_campaign:
            state.pause, state.pause_time = PENDING, now
    elif found is Verdict.CLEAR:
        state.state, state.state_time = OK, now
    return found
