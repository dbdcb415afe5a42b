"""When an alarm goes off and when it is quiet again, as a table and for any counts."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twoway.alarms import deciding
from twoway.alarms.deciding import ALARM, OK, PENDING, Counts, Verdict
from twoway.alarms.tables import OptOutAlarmRow, OptOutAlarmStateRow
from twoway_room import NOON

COUNTS = st.builds(Counts, st.integers(0, 1_000), st.integers(0, 10_000))


def alarm(*, pauses: bool = False, delivered_min: int = 100) -> OptOutAlarmRow:
    return OptOutAlarmRow(
        application="shop",
        opt_out_alarm="a",
        rate_max=0.02,
        window_seconds=3_600,
        delivered_min=delivered_min,
        pause_campaign=pauses,
        check_time=NOON,
        create_time=NOON,
        update_time=NOON,
    )


def standing(state: str, minutes_ago: float | None = None) -> OptOutAlarmStateRow:
    """A state, with an alarm that went off so long ago."""
    ago = None if minutes_ago is None else NOON - timedelta(minutes=minutes_ago)
    return OptOutAlarmStateRow(
        application="shop",
        opt_out_alarm="a",
        campaign="c",
        state=state,
        trigger_time=ago,
        count_time=NOON,
        state_time=NOON,
        pause_time=NOON,
    )


@pytest.mark.parametrize(
    ("counts", "state", "pauses", "expected"),
    [
        (Counts(3, 100), standing(OK), False, Verdict.TRIGGER),
        (Counts(2, 100), standing(OK), False, Verdict.STAY),  # as many as it bears
        (Counts(99, 99), standing(OK), False, Verdict.STAY),  # too few to tell
        (Counts(5, 0), standing(OK), False, Verdict.STAY),
        (Counts(0, 0), standing(OK, 90), False, Verdict.STAY),
        (Counts(3, 100), standing(OK, 90), True, Verdict.TRIGGER),
        (Counts(3, 100), standing(ALARM, 5), False, Verdict.STAY),  # told already
        (Counts(3, 100), standing(ALARM, 5), True, Verdict.TRIGGER),  # resumed, and no better
        (Counts(2, 100), standing(ALARM, 5), True, Verdict.CLEAR),  # resumed, and better
        (Counts(0, 99), standing(ALARM, 5), True, Verdict.STAY),  # nobody knows yet
        (Counts(9, 50), standing(ALARM, 60), True, Verdict.CLEAR),  # a window has passed
        (Counts(9, 50), standing(ALARM, 59), True, Verdict.STAY),
    ],
)
def test_what_counts_mean(
    counts: Counts, state: OptOutAlarmStateRow, pauses: bool, expected: Verdict
) -> None:
    assert deciding.verdict(alarm(pauses=pauses), state, counts, NOON) is expected


@given(COUNTS, st.sampled_from([OK, ALARM]), st.booleans(), st.floats(0, 120))
def test_it_goes_off_only_when_more_opt_out_than_it_bears(
    counts: Counts, state: str, pauses: bool, minutes_ago: float
) -> None:
    row = standing(state, minutes_ago if state == ALARM else None)

    found = deciding.take(alarm(pauses=pauses), row, counts, NOON)

    loud = counts.delivered >= 100 and counts.opted_out > 0.02 * counts.delivered
    assert (row.state == ALARM) == (loud or (state == ALARM and found is not Verdict.CLEAR))
    assert (row.pause == PENDING) == (found is Verdict.TRIGGER and pauses)
    assert (row.trigger_time == NOON) >= (found is Verdict.TRIGGER)
    assert (row.opted_out_count, row.delivered_count) == (counts.opted_out, counts.delivered)


@given(COUNTS, st.floats(0, 120))
def test_what_set_it_off_is_never_counted_again(counts: Counts, minutes: float) -> None:
    row = standing(OK)
    if deciding.take(alarm(pauses=True), row, counts, NOON) is Verdict.TRIGGER:
        later = NOON + timedelta(minutes=minutes)
        assert deciding.begin(alarm(), row.trigger_time, later) >= NOON
