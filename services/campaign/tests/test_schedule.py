from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from campaign.schedule import Frequency, Rule, next_time
from hypothesis import given
from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("rule", "after", "expected"),
    [
        (Rule(utc("2026-11-01T10:00")), utc("2026-10-01T00:00"), utc("2026-11-01T10:00")),
        (Rule(utc("2026-11-01T10:00")), utc("2026-11-01T10:00"), None),
        (
            Rule(utc("2026-11-01T10:00"), Frequency.HOURLY),
            utc("2026-11-01T12:30"),
            utc("2026-11-01T13:00"),
        ),
        # Daily at nine in Berlin, across the end and the begin of summer time.
        (
            Rule(berlin("2026-10-24T09:00"), Frequency.DAILY, BERLIN),
            berlin("2026-10-24T09:00"),
            utc("2026-10-25T08:00"),
        ),
        (
            Rule(berlin("2026-03-28T09:00"), Frequency.DAILY, BERLIN),
            berlin("2026-03-28T09:00"),
            utc("2026-03-29T07:00"),
        ),
        # Half past two does not exist on 29 March; the gap ends at three.
        (
            Rule(berlin("2026-03-28T02:30"), Frequency.DAILY, BERLIN),
            berlin("2026-03-28T02:30"),
            utc("2026-03-29T01:00"),
        ),
        # Half past two comes twice on 25 October; the first counts.
        (
            Rule(berlin("2026-10-24T02:30"), Frequency.DAILY, BERLIN),
            berlin("2026-10-24T02:30"),
            utc("2026-10-25T00:30"),
        ),
        (
            Rule(utc("2026-01-31T08:00"), Frequency.MONTHLY),
            utc("2026-01-31T08:00"),
            utc("2026-02-28T08:00"),
        ),
        (
            Rule(utc("2026-01-31T08:00"), Frequency.MONTHLY),
            utc("2026-02-28T08:00"),
            utc("2026-03-31T08:00"),
        ),
        (
            Rule(utc("2024-02-29T08:00"), Frequency.MONTHLY),
            utc("2028-02-01T08:00"),
            utc("2028-02-29T08:00"),
        ),
        (
            Rule(utc("2026-11-02T08:00"), Frequency.WEEKLY),
            utc("2026-11-20T08:00"),
            utc("2026-11-23T08:00"),
        ),
        (
            Rule(utc("2026-11-02T08:00"), Frequency.DAILY, end_time=utc("2026-11-04T08:00")),
            utc("2026-11-03T08:00"),
            utc("2026-11-04T08:00"),
        ),
        (
            Rule(utc("2026-11-02T08:00"), Frequency.DAILY, end_time=utc("2026-11-04T08:00")),
            utc("2026-11-04T08:00"),
            None,
        ),
    ],
)
def test_the_next_time_is(rule, after, expected):
    assert next_time(rule, after) == expected


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from([ZoneInfo("UTC"), BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe")])
RECURRING = [Frequency.HOURLY, Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY]
LONGEST = {
    Frequency.HOURLY: timedelta(hours=1),
    Frequency.DAILY: timedelta(days=1, hours=2),
    Frequency.WEEKLY: timedelta(days=7, hours=2),
    Frequency.MONTHLY: timedelta(days=31, hours=2),
}


@given(MOMENTS, MOMENTS, ZONES, st.sampled_from(RECURRING))
def test_the_next_time_lies_ahead_and_within_one_period(start, after, zone, frequency):
    found = next_time(Rule(start, frequency, zone), after)

    assert found is not None
    assert found > after
    assert found - max(after, start - LONGEST[frequency]) <= LONGEST[frequency] or found == start


@given(MOMENTS, MOMENTS, ZONES, st.sampled_from(RECURRING))
def test_no_time_is_left_out_between_two_readings(start, after, zone, frequency):
    rule = Rule(start, frequency, zone)

    first = next_time(rule, after)

    assert next_time(rule, first - timedelta(microseconds=1)) == first
