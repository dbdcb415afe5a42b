"""How far users come on a funnel: ClickHouse's `windowFunnel` over the steps' conditions. Pure.

Mode `strict_once`: one event completes one step, as the contract says.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from heliograph.analytics.v1.funnel_pb2 import Funnel
from heliograph.analytics.v1.report_service_pb2 import QueryFunnelResponse

from analytics.reports import filters, history
from analytics.reports.sql import Parameters, Statement

WINDOW_DEFAULT = timedelta(days=7)


def check(funnel: Funnel, field: str = "funnel") -> None:
    """Refuse a funnel one of whose filters contradicts itself."""
    for index, step in enumerate(funnel.steps):
        filters.check(step.filter, f"{field}.steps[{index}].filter")


def statement(
    application: str, funnel: Funnel, start_time: datetime, end_time: datetime
) -> Statement:
    """Rows (step, reached): how many completed step number `step`, from 1, and none after it."""
    parameters = Parameters()
    subject = "endpoint_id" if funnel.subject == Funnel.ENDPOINT else "user_id"
    conditions = [filters.condition(step.filter, parameters) for step in funnel.steps]
    happened = history.source(
        application,
        parameters,
        event_types=sorted({step.filter.event_type for step in funnel.steps}),
        start_time=start_time,
        end_time=end_time,
        conditions=[f"{subject} != ''"],
    )
    window = parameters.add(window_of(funnel) // timedelta(microseconds=1), "UInt64")
    text = f"""
    SELECT step, count() AS reached FROM (
        SELECT {subject}, windowFunnel({window}, 'strict_once')(
            toUInt64(toUnixTimestamp64Micro(event_time)), {", ".join(conditions)}
        ) AS step
        FROM {happened} GROUP BY {subject}
    ) WHERE step > 0 GROUP BY step ORDER BY step
    """
    return Statement(text, parameters.values)


def answer(funnel: Funnel, rows: Sequence[Any]) -> QueryFunnelResponse:
    """The counts of every step, of those who came at least so far."""
    stopped = {row["step"]: row["reached"] for row in rows}
    counts = [
        sum(reached for step, reached in stopped.items() if step >= number)
        for number in range(1, len(funnel.steps) + 1)
    ]
    response = QueryFunnelResponse()
    before = counts[0]
    for step, count in zip(funnel.steps, counts, strict=True):
        result = response.steps.add(
            display_name=step.display_name or step.filter.event_type,
            count=count,
            dropped=before - count,
        )
        if counts[0]:
            result.share_of_first = count / counts[0]
        if before:
            result.share_of_previous = count / before
        before = count
    return response


def window_of(funnel: Funnel) -> timedelta:
    """The time from the first step to the last."""
    return funnel.window.ToTimedelta() if funnel.HasField("window") else WINDOW_DEFAULT
