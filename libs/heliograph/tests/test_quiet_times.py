"""Quiet time by the recipient's clock: ends, midnight, zones, and clocks that are put back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from heliograph import quiet_times
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from hypothesis import given, settings
from hypothesis import strategies as st

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ZONES = ["UTC", BERLIN, NEW_YORK, "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
MINUTES = st.integers(0, 1439)
FIRST, LAST = datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2037-01-01")
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


def quiet(start, end, policy=ApplicationSettings.SKIP, default=""):
    return SendBatch.QuietTime(
        start=start, end=end, missing_time_zone_policy=policy, default_time_zone=default
    )


def reason(endpoint, quiet_time, now):
    return Reason.Name(quiet_times.QuietTimes(quiet_time, now).reason(endpoint))


def living_in(stated="", estimated=""):
    endpoint = Endpoint()
    if stated:
        endpoint.demographic.timezone = stated
    if estimated:
        endpoint.estimated_time_zone.time_zone = estimated
    return endpoint


@pytest.mark.parametrize(
    ("start", "end", "local", "expected"),
    [
        ("20:00", "21:00", "19:59:59", "REASON_UNSPECIFIED"),
        ("20:00", "21:00", "20:00:00", "QUIET_TIME"),
        ("20:00", "21:00", "21:00:59", "QUIET_TIME"),
        ("20:00", "21:00", "21:01:00", "REASON_UNSPECIFIED"),
        ("20:00", "20:00", "20:00:30", "QUIET_TIME"),
        ("20:00", "20:00", "20:01:00", "REASON_UNSPECIFIED"),
        ("22:00", "06:00", "21:59:59", "REASON_UNSPECIFIED"),
        ("22:00", "06:00", "22:00:00", "QUIET_TIME"),
        ("22:00", "06:00", "00:00:00", "QUIET_TIME"),
        ("22:00", "06:00", "06:00:59", "QUIET_TIME"),
        ("22:00", "06:00", "06:01:00", "REASON_UNSPECIFIED"),
        ("00:00", "23:59", "12:00:00", "QUIET_TIME"),
        ("10:00", "09:59", "09:59:30", "QUIET_TIME"),
    ],
)
def test_both_ends_are_quiet_and_midnight_may_lie_between(start, end, local, expected):
    now = datetime.fromisoformat(f"2026-07-01T{local}").replace(tzinfo=ZoneInfo(BERLIN))

    assert reason(living_in(BERLIN), quiet(start, end), now.astimezone(UTC)) == expected


@pytest.mark.parametrize(
    ("zone", "utc", "expected"),
    [
        # Berlin, 25 October 2026: 02:00 to 03:00 comes twice, at 00:00 and at 01:00 UTC.
        (BERLIN, "2026-10-24T23:59", "REASON_UNSPECIFIED"),
        (BERLIN, "2026-10-25T00:15", "QUIET_TIME"),
        (BERLIN, "2026-10-25T00:45", "REASON_UNSPECIFIED"),
        (BERLIN, "2026-10-25T01:15", "QUIET_TIME"),
        (BERLIN, "2026-10-25T01:45", "REASON_UNSPECIFIED"),
        # 29 March 2026: it does not come at all.
        (BERLIN, "2026-03-29T00:59", "REASON_UNSPECIFIED"),
        (BERLIN, "2026-03-29T01:00", "REASON_UNSPECIFIED"),
    ],
)
def test_what_counts_is_what_the_clock_shows_when_it_is_changed(zone, utc, expected):
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)

    assert reason(living_in(zone), quiet("02:00", "02:30"), now) == expected


@pytest.mark.parametrize(
    ("endpoint", "policy", "default", "expected"),
    [
        # It is noon in UTC: 14:00 in Berlin, 08:00 in New York. Quiet is the afternoon.
        (living_in(BERLIN), "SKIP", "", "QUIET_TIME"),
        (living_in(NEW_YORK), "SKIP", "", "REASON_UNSPECIFIED"),
        (living_in(estimated=BERLIN), "SKIP", "", "QUIET_TIME"),
        (living_in(NEW_YORK, BERLIN), "SKIP", "", "REASON_UNSPECIFIED"),
        (living_in("Mars/Base", BERLIN), "SKIP", "", "QUIET_TIME"),
        (living_in(), "SKIP", "", "MISSING_TIMEZONE"),
        (living_in(), "MISSING_TIME_ZONE_POLICY_UNSPECIFIED", "", "MISSING_TIMEZONE"),
        (living_in("../etc/passwd"), "SKIP", "", "MISSING_TIMEZONE"),
        (living_in("Europe"), "SKIP", "", "MISSING_TIMEZONE"),
        (living_in(), "SEND_ANYWAY", "", "REASON_UNSPECIFIED"),
        (living_in(), "USE_DEFAULT", BERLIN, "QUIET_TIME"),
        (living_in(), "USE_DEFAULT", NEW_YORK, "REASON_UNSPECIFIED"),
        (living_in(NEW_YORK), "USE_DEFAULT", BERLIN, "REASON_UNSPECIFIED"),
    ],
)
def test_the_stated_zone_comes_before_the_estimated_and_then_the_policy(
    endpoint, policy, default, expected
):
    policy = ApplicationSettings.MissingTimeZonePolicy.Value(policy)
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)

    assert reason(endpoint, quiet("13:00", "17:00", policy, default), noon) == expected


@given(MINUTES, MINUTES, st.sampled_from(ZONES), MOMENTS)
def test_a_minute_is_quiet_if_it_comes_between_start_and_end_on_the_dial(start, end, zone, now):
    """Going round the dial from the start, the end must not come first."""
    local = now.astimezone(ZoneInfo(zone))
    shown = local.hour * 60 + local.minute
    between = (shown - start) % 1440 <= (end - start) % 1440

    found = reason(living_in(zone), quiet(clock(start), clock(end)), now)

    assert found == ("QUIET_TIME" if between else "REASON_UNSPECIFIED")


@settings(max_examples=10)
@given(MINUTES, MINUTES, MOMENTS)
def test_within_a_day_every_zone_has_its_quiet_minutes_and_no_more(start, end, now):
    times = [now + timedelta(minutes=minute) for minute in range(1440)]
    quiet_time = quiet(clock(start), clock(end))

    found = [reason(living_in("Asia/Kathmandu"), quiet_time, time) for time in times]

    assert found.count("QUIET_TIME") == (end - start) % 1440 + 1


@pytest.mark.parametrize(
    ("start", "end", "utc", "expected"),
    [
        ("20:00", "21:00", "2026-07-01T18:00:30", "2026-07-01T19:01"),
        ("20:00", "21:00", "2026-07-01T19:00:59", "2026-07-01T19:01"),
        ("22:00", "06:00", "2026-07-01T20:00", "2026-07-02T04:01"),
        ("22:00", "06:00", "2026-07-01T23:30", "2026-07-02T04:01"),
        # The night in which clocks are put forward is an hour shorter, the other one longer.
        ("22:00", "06:00", "2026-03-28T22:00", "2026-03-29T04:01"),
        ("22:00", "06:00", "2026-10-24T22:00", "2026-10-25T05:01"),
        # It ends in the hour that is left out: with that hour.
        ("01:00", "02:29", "2026-03-29T00:30", "2026-03-29T01:00"),
        # It ends in the hour that comes twice: the first time.
        ("01:00", "02:29", "2026-10-24T23:30", "2026-10-25T00:30"),
        ("00:00", "23:59", "2026-07-01T12:00", None),
        ("12:00", "11:59", "2026-07-01T12:00", None),
    ],
)
def test_who_waits_waits_for_the_first_minute_that_is_not_quiet(start, end, utc, expected):
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    asked = quiet_times.QuietTimes(quiet(start, end), now)

    found = asked.end(living_in(BERLIN))

    assert quiet_times.is_endless(start, end) == (expected is None)
    assert found == (expected and datetime.fromisoformat(expected).replace(tzinfo=UTC))


@settings(max_examples=30)
@given(MINUTES, MINUTES, st.sampled_from(ZONES), MOMENTS)
def test_after_the_end_it_is_not_quiet_and_before_it_always(start, end, zone, now):
    quiet_time = quiet(clock(start), clock(end))
    found = quiet_times.QuietTimes(quiet_time, now).end(living_in(zone))
    if reason(living_in(zone), quiet_time, now) != "QUIET_TIME" or found is None:
        return

    assert reason(living_in(zone), quiet_time, found) == "REASON_UNSPECIFIED"
    for share in range(1, 8):
        before = now + (found - now) * share / 8
        assert reason(living_in(zone), quiet_time, before) == "QUIET_TIME"


def test_without_a_quiet_time_there_is_nothing_to_ask():
    assert quiet_times.of(SendBatch().quiet_time, datetime.now(UTC)) is None


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"
