"""`heliograph report`: what came of it."""

from typing import Any

from heliograph.cli import output
from heliograph.cli.names import application, resource
from heliograph.cli.session import talk


def report(campaign: str = "", /, *, app: str, json: bool = False) -> None:
    """Show a campaign's report, or without one who was active in the application day by day."""
    if campaign:
        _campaign(resource(app, "campaigns", campaign), json)
    else:
        _activity(application(app), json)


def _campaign(name: str, json: bool) -> None:
    from heliograph.analytics.v1.report_service_pb2 import GetCampaignReportRequest

    request = GetCampaignReportRequest(name=name)
    found = talk(lambda mesh: mesh.reports.GetCampaignReport(request))
    if json:
        output.print_json(output.as_dict(found))
        return
    rows: list[tuple[str, Any]] = list(_flat(output.as_dict(found)))
    output.print_table(["figure", "value"], rows, title=name)


def _flat(fields: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in fields.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    rows += _flat(item, f"{prefix}{name}[{index}].")
        elif value not in ("", "0", 0, None):
            rows.append((prefix + name, value))
    return rows


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
