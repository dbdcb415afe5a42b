"""The report of a campaign: whole, by treatment, by run, by channel, in one question. Pure."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.campaign_report_pb2 import CampaignReport

from analytics.reports import message_counts
from analytics.reports.sql import Parameters, Statement

RUNS_MAX = 1_000

# grouping(): 1 for a column that is not part of the row's set.
_TEXT = """
SELECT grouping(run_id) AS all_runs, grouping(treatment) AS all_treatments,
    grouping(channel_type) AS all_channels, run_id, treatment, channel_type,
    {counts},
    min(first_time) AS first_event_time, max(latest_time) AS latest_event_time
FROM ({messages})
GROUP BY GROUPING SETS ((), (run_id), (treatment), (run_id, treatment), (channel_type))
ORDER BY treatment, channel_type
"""


def statement(application: str, campaign_id: str, run_id: str = "") -> Statement:
    """Rows of groups, told apart by `all_runs`, `all_treatments` and `all_channels`."""
    parameters = Parameters()
    where = [
        f"application = {parameters.add(application, 'String')}",
        f"campaign_id = {parameters.add(campaign_id, 'String')}",
    ]
    if run_id:
        where.append(f"run_id = {parameters.add(run_id, 'String')}")
    messages = message_counts.PER_MESSAGE.format(where=" AND ".join(where))
    text = _TEXT.format(counts=message_counts.COUNTS, messages=messages)
    return Statement(text, parameters.values)


def answer(campaign: str, rows: Sequence[Any]) -> CampaignReport:
    """The report; a campaign of which nothing is known yet has zeros."""
    report = CampaignReport(campaign=campaign)
    of_runs: dict[str, list[CampaignReport.TreatmentCounts]] = {}
    for row in rows:
        counts = message_counts.answer(row)
        if not row["all_channels"]:
            report.channels.add(channel_type=row["channel_type"], counts=counts)
        elif row["all_runs"] and row["all_treatments"]:
            report.total.CopyFrom(counts)
            if counts.targeted:
                report.latest_event_time.CopyFrom(_timestamp(row["latest_event_time"]))
        elif row["all_runs"]:
            report.treatments.add(treatment=row["treatment"], counts=counts)
        elif row["all_treatments"]:
            report.runs.add(
                run=f"{campaign}/runs/{row['run_id']}",
                counts=counts,
                first_event_time=_timestamp(row["first_event_time"]),
            )
        else:
            part = CampaignReport.TreatmentCounts(treatment=row["treatment"], counts=counts)
            of_runs.setdefault(f"{campaign}/runs/{row['run_id']}", []).append(part)
    report.runs.sort(key=lambda run: (run.first_event_time.ToMicroseconds(), run.run))
    del report.runs[:-RUNS_MAX]
    for run in report.runs:
        run.treatments.extend(of_runs.get(run.run, ()))
    return report


def _timestamp(time: Any) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(time.replace(tzinfo=UTC))
    return found
