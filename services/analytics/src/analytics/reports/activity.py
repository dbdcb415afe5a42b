"""Who was active on each day. Pure.

Counted are sessions (`_session.start`) alone; Pinpoint's numbers rose with every UpdateEndpoint and
PutEvents. Definitions: Pinpoint user guide, "Analytics: usage"; sticky factor = daily / monthly.
"""

from collections.abc import Sequence
from typing import Any

from google.type.date_pb2 import Date
from heliograph.analytics.v1.report_service_pb2 import ActivityDay, QueryActivityResponse

from analytics.reports import history
from analytics.reports.intervals import Days
from analytics.reports.sql import Parameters, Statement

MONTH_DAYS = 30
SESSION = "_session.start"


def statement(application: str, days: Days) -> Statement:
    """One row a day, also for days on which nothing happened."""
    parameters = Parameters()
    wanted = {
        "application": parameters.add(application, "String"),
        "type": parameters.add(SESSION, "String"),
        "zone": parameters.add(days.zone, "String"),
        "first": parameters.add(days.first.isoformat(), "Date"),
        "count": parameters.add(days.count, "UInt32"),
        "reach": parameters.add(days.count + MONTH_DAYS - 1, "UInt32"),
        "start": history.instant(days.starts(MONTH_DAYS - 1), parameters),
        "end": history.instant(days.ends(), parameters),
    }
    return Statement(_TEXT.format(month=MONTH_DAYS - 1, **wanted), parameters.values)


# A day without sessions is a row of the calendar alone, so that the window over 30 days has all
# days. The sets of each day are computed once and merged for each window.
_TEXT = """
WITH
    sessions AS (
        SELECT toDate(event_time, {zone}) AS day, endpoint_id, user_id, count() AS sessions
        FROM events FINAL
        WHERE application = {application} AND event_type = {type}
            AND event_time >= {start} AND event_time < {end}
        GROUP BY day, endpoint_id, user_id
        UNION ALL
        SELECT {first} - {month} + number AS day, '' AS endpoint_id, '' AS user_id, 0 AS sessions
        FROM numbers({reach})
    ),
    daily AS (
        SELECT day,
            uniqExactStateIf(endpoint_id, endpoint_id != '') AS endpoints,
            uniqExactStateIf(user_id, user_id != '') AS users,
            sum(sessions) AS sessions_all,
            sumIf(sessions, endpoint_id != '') AS sessions_of_endpoints,
            sumIf(sessions, user_id != '') AS sessions_of_users
        FROM sessions GROUP BY day
    ),
    firsts AS (
        SELECT toDate(min(event_time), {zone}) AS day, endpoint_id AS id, 1 AS is_endpoint
        FROM events
        WHERE application = {application} AND event_type = {type} AND event_time < {end}
            AND endpoint_id != ''
        GROUP BY endpoint_id
        UNION ALL
        SELECT toDate(min(event_time), {zone}) AS day, user_id AS id, 0 AS is_endpoint
        FROM events
        WHERE application = {application} AND event_type = {type} AND event_time < {end}
            AND user_id != ''
        GROUP BY user_id
    ),
    new AS (
        SELECT day, countIf(is_endpoint = 1) AS endpoints, countIf(is_endpoint = 0) AS users
        FROM firsts GROUP BY day
    )
SELECT
    active.day AS day, daily_endpoints, daily_users, monthly_endpoints, monthly_users,
    new.endpoints AS new_endpoints, new.users AS new_users,
    sessions_all, sessions_of_endpoints, sessions_of_users
FROM (
    SELECT day,
        finalizeAggregation(endpoints) AS daily_endpoints,
        finalizeAggregation(users) AS daily_users,
        uniqExactMerge(endpoints) OVER month AS monthly_endpoints,
        uniqExactMerge(users) OVER month AS monthly_users,
        sessions_all, sessions_of_endpoints, sessions_of_users
    FROM daily
    WINDOW month AS (ORDER BY day RANGE BETWEEN {month} PRECEDING AND CURRENT ROW)
) AS active
LEFT JOIN new ON new.day = active.day
WHERE active.day >= {first} AND active.day < {first} + {count}
ORDER BY active.day
"""


def answer(rows: Sequence[Any]) -> QueryActivityResponse:
    """The days as the contract has them."""
    return QueryActivityResponse(days=map(_day, rows))


def _day(row: Any) -> ActivityDay:
    day = row["day"]
    result = ActivityDay(
        date=Date(year=day.year, month=day.month, day=day.day),
        daily_active_endpoints=row["daily_endpoints"],
        daily_active_users=row["daily_users"],
        monthly_active_endpoints=row["monthly_endpoints"],
        monthly_active_users=row["monthly_users"],
        new_endpoints=row["new_endpoints"],
        new_users=row["new_users"],
        sessions=row["sessions_all"],
    )
    if result.daily_active_endpoints:
        result.sessions_per_endpoint = row["sessions_of_endpoints"] / result.daily_active_endpoints
    if result.daily_active_users:
        result.sessions_per_user = row["sessions_of_users"] / result.daily_active_users
    if result.monthly_active_endpoints:
        result.sticky_factor = result.daily_active_endpoints / result.monthly_active_endpoints
    return result
