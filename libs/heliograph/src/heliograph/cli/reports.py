"""`heliograph report`: what came of it."""

import sys
from typing import TYPE_CHECKING

from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from heliograph.analytics.v1.campaign_report_pb2 import CampaignReport, MessageCounts
    from heliograph.analytics.v1.report_service_pb2 import GetCampaignReportRequest
    from heliograph.client import Client

FIGURES = ("targeted", "sent", "delivered", "failed", "skipped", "opened", "replied")
"""What a campaign's table shows, by field of MessageCounts; `--json` has them all."""


def report(campaign: str = "", /, *, app: str, json: bool = False) -> None:
    """Show a campaign's report, or without one who was active in the application day by day."""
    if campaign:
        _campaign(resource(app, "campaigns", campaign), json)
    else:
        _activity(application(app), json)


def _campaign(name: str, json: bool) -> None:
    from heliograph.analytics.v1.report_service_pb2 import GetCampaignReportRequest

    request = GetCampaignReportRequest(name=name)
    found, opted_out = talk(lambda mesh: _asked(mesh, request))
    if json:
        output.print_json({**output.as_dict(found), "opted_out_count": opted_out})
        return
    if not found.total.targeted:
        sys.exit(
            f"heliograph: nothing is recorded of {name}; `heliograph campaigns list` names all"
        )
    parts = list(_parts(found))
    output.print_table(
        ["part", *(figure.replace("_", " ") for figure in FIGURES)],
        [(part, *(getattr(counts, figure) for figure in FIGURES)) for part, counts in parts],
        title=name,
    )
    if opted_out:
        sys.stdout.write(f"{opted_out} opted out by answering it\n")
    reasons = [*_reasons(found.total, "skipped"), *_reasons(found.total, "failed")]
    if reasons:
        output.print_table(["what became of it", "reason", "messages"], reasons)


async def _asked(
    mesh: "Client", request: "GetCampaignReportRequest"
) -> "tuple[CampaignReport, int | None]":
    """The report, and how many opted out: nobody knows while twoway is away."""
    from heliograph.errors import HeliographError
    from heliograph.opt_outs import of_campaign

    report = await mesh.reports.GetCampaignReport(request)
    try:
        return report, await of_campaign(mesh, request.name)
    except HeliographError as error:
        if error.code != "UNAVAILABLE":
            raise
        return report, None


def _parts(report: "CampaignReport") -> "Iterator[tuple[str, MessageCounts]]":
    """The whole, and each part of it that a row shows."""
    from heliograph.audience.v1.channel_type_pb2 import ChannelType

    yield "all", report.total
    for treatment in report.treatments:
        yield f"treatment {treatment.treatment or '-'}", treatment.counts
    for channel in report.channels:
        yield ChannelType.Name(channel.channel_type), channel.counts
    for run in report.runs:
        yield f"run {run.run.rpartition('/')[2]}", run.counts


def _reasons(total: "MessageCounts", outcome: str) -> list[tuple[str, str, int]]:
    from heliograph.messaging.v1.reason_pb2 import Reason

    counted = getattr(total, f"{outcome}_by_reason")
    return [(outcome, Reason.Name(row.reason), row.count) for row in counted]


def _activity(parent: str, json: bool) -> None:
    from datetime import UTC, datetime, timedelta

    from heliograph.analytics.v1.report_service_pb2 import QueryActivityRequest

    request = QueryActivityRequest(parent=parent)
    now = datetime.now(UTC)
    request.start_time.FromDatetime(now - timedelta(days=7))
    request.end_time.FromDatetime(now)
    found = talk(lambda mesh: mesh.reports.QueryActivity(request))
    if json:
        output.print_json(output.as_dict(found))
        return
    output.print_table(
        ["day", "active endpoints", "active users", "sessions"],
        [
            (
                f"{day.date.year:04}-{day.date.month:02}-{day.date.day:02}",
                day.daily_active_endpoints,
                day.daily_active_users,
                day.sessions,
            )
            for day in found.days
        ],
    )
