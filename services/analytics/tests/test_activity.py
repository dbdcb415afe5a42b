"""Daily activity, asked through the front door: sessions, days and their time zones."""

from datetime import timedelta

import pytest
from analytics_samples import NOW, event, stamp
from analytics_store import store_events
from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.analytics.v1.event_pb2 import Event
from mesh.errors import InvalidArgument


def session(number: int, days_ago: float, endpoint: str, user: str = "") -> Event:
    return event(
        number,
        "_session.start",
        event_time=stamp(NOW - timedelta(days=days_ago)),
        endpoint_id=endpoint,
        user_id=user,
    )


async def test_activity_counts_sessions_and_nothing_else(service, event_store, application) -> None:
    await store_events(
        event_store,
        application,
        session(1, 0, "e1", "ada"),
        session(2, 0.01, "e1", "ada"),
        session(3, 0, "e2", "ada"),
        session(4, 1, "e3", "bob"),
        session(5, 20, "e1", "ada"),
        session(6, 29, "e4"),
        session(7, 31, "e5", "eve"),
        event(8, "cart.add", endpoint_id="e9", user_id="nobody"),
        event(9, "_session.stop", endpoint_id="e9", user_id="nobody"),
    )
    await store_events(event_store, application, session(1, 0, "e1", "ada"))

    answer = await service.reports.QueryActivity(
        pb.QueryActivityRequest(
            parent=f"applications/{application}", start_time=stamp(NOW - timedelta(days=2))
        )
    )

    two_ago, yesterday, today = answer.days
    assert (today.date.year, today.date.month, today.date.day) == (2026, 11, 20)
    assert (today.daily_active_endpoints, today.daily_active_users) == (2, 1)
    assert (today.monthly_active_endpoints, today.monthly_active_users) == (4, 2)
    assert (today.new_endpoints, today.new_users) == (1, 0)
    assert today.sessions == 3
    assert today.sessions_per_endpoint == pytest.approx(1.5)
    assert today.sessions_per_user == pytest.approx(3)
    assert today.sticky_factor == pytest.approx(0.5)
    assert (yesterday.daily_active_endpoints, yesterday.new_users) == (1, 1)
    assert (two_ago.daily_active_endpoints, two_ago.sessions) == (0, 0)
    assert two_ago.monthly_active_endpoints == 3
    assert not two_ago.HasField("sessions_per_endpoint")


async def test_a_day_is_a_day_of_the_asked_time_zone(service, event_store, application) -> None:
    await store_events(
        event_store,
        application,
        event(1, "_session.start", event_time=stamp(NOW.replace(hour=2) - timedelta(days=1))),
    )
    request = pb.QueryActivityRequest(
        parent=f"applications/{application}", start_time=stamp(NOW - timedelta(days=2))
    )

    utc = await service.reports.QueryActivity(request)
    request.time_zone = "America/New_York"
    new_york = await service.reports.QueryActivity(request)

    assert [day.sessions for day in utc.days] == [0, 1, 0]
    assert [day.sessions for day in new_york.days] == [1, 0, 0]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"time_zone": "Europe/Bonn"}, "TIME_ZONE_UNKNOWN"),
        ({"time_zone": "../etc/passwd"}, "TIME_ZONE_UNKNOWN"),
        ({"start_time": stamp(NOW), "end_time": stamp(NOW)}, "INTERVAL_INVALID"),
        ({"start_time": stamp(NOW - timedelta(days=367))}, "INTERVAL_INVALID"),
    ],
)
async def test_an_impossible_interval_is_refused(service, application, fields, reason) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await service.reports.QueryActivity(
            pb.QueryActivityRequest(parent=f"applications/{application}", **fields)
        )

    assert refused.value.reason == reason
