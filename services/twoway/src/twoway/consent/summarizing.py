"""The record of consent, counted: how many went on and off lists, by whatever is asked."""

from typing import Any

from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.errors.refusals import invalid

from twoway import clock, names

Request = pb.SummarizeConsentChangesRequest

ROWS_MAX = 1_000

_EXPRESSIONS = {
    Request.GROUP_BY_UNSPECIFIED: "''",
    Request.OPT_OUT_LIST: "c.opt_out_list",
    Request.ORIGINATION_IDENTITY: "c.origination_identity",
    Request.KEYWORD_TEXT: "coalesce(m.keyword_id, '')",
    Request.CAMPAIGN: "coalesce(split_part(a.run, '/', 2), '')",
    Request.DAY: "to_char(c.change_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}

_JOINS = {
    Request.KEYWORD_TEXT: """
LEFT JOIN inbound_messages m
    ON m.application = c.application AND m.inbound_message = c.inbound_message
""",
    Request.CAMPAIGN: """
LEFT JOIN message_answers a
    ON a.application = c.application AND a.inbound_message = c.inbound_message
""",
}

_COUNT = """
SELECT {group}, count(*) FILTER (WHERE c.kind = 'OPTED_OUT'),
    count(*) FILTER (WHERE c.kind = 'OPTED_IN')
FROM consent_changes c {join}
WHERE c.application = $1 AND ($2::timestamptz IS NULL OR c.change_time >= $2)
    AND ($3::timestamptz IS NULL OR c.change_time < $3)
GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {rows_max}
"""


async def summarize(pool: Any, request: Request) -> list[pb.SummarizeConsentChangesResponse.Row]:
    """The groups, the largest first."""
    application = names.application_of(request.parent)
    statement = _COUNT.format(
        group=_EXPRESSIONS[request.group_by],
        join=_JOINS.get(request.group_by, ""),
        rows_max=ROWS_MAX,
    )
    times = [_time(request, field) for field in ("start_time", "end_time")]
    return [
        pb.SummarizeConsentChangesResponse.Row(
            group=_name(application, request.group_by, group),
            opted_out_count=opted_out,
            opted_in_count=opted_in,
        )
        for group, opted_out, opted_in in await pool.fetch(statement, application, *times)
    ]


def _name(application: str, group_by: int, group: str) -> str:
    if group_by == Request.OPT_OUT_LIST:
        return names.opt_out_list(application, group)
    if group_by == Request.CAMPAIGN and group:
        return names.campaign(application, group)
    return group


def _time(request: Request, field: str) -> Any:
    """A bound as a moment; None where there is none."""
    if not request.HasField(field):  # type: ignore[arg-type]
        return None
    try:
        return clock.moment(getattr(request, field))
    except (ValueError, OverflowError):
        description = "it is no time between the years 1 and 9999"
        raise invalid("TIME_INVALID", field, description) from None
