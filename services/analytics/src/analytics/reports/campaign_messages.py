"""Messages of several campaigns that were sent and delivered, each within an interval. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from heliograph.analytics.v1 import report_service_pb2 as pb
from heliograph.messaging.v1.events_pb2 import MessageEvent
from mesh.aip import resource_names

from analytics import names
from analytics.reports.sql import Parameters, Statement

Question = pb.QueryCampaignMessagesRequest.Question
Answer = pb.QueryCampaignMessagesResponse.Answer

# An announcement that is repeated, perhaps with another time, is one message all the same.
_TEXT = f"""
SELECT q.position AS position,
    uniqExactIf(e.message_id, e.kind = {MessageEvent.SENT}) AS sent,
    uniqExactIf(e.message_id, e.kind = {MessageEvent.DELIVERED}) AS delivered
FROM (
    SELECT * FROM message_events WHERE application = {{application}}
        AND campaign_id IN {{campaigns}} AND kind IN ({MessageEvent.SENT}, {MessageEvent.DELIVERED})
        AND event_time >= {{start}} AND event_time < {{end}}
) AS e
INNER JOIN (
    SELECT * FROM (
        SELECT arrayJoin(arrayZip({{positions}}, {{ids}}, {{starts}}, {{ends}})) AS one,
            one.1 AS position, one.2 AS campaign_id, one.3 AS start_time, one.4 AS end_time
    )
) AS q ON q.campaign_id = e.campaign_id
WHERE e.event_time >= q.start_time AND e.event_time < q.end_time
GROUP BY q.position
"""


def statement(application: str, questions: Sequence[Question]) -> Statement:
    """Rows of `position`, `sent` and `delivered`; none of questions with no message."""
    ids = [_campaign(application, question) for question in questions]
    starts = [question.start_time.ToDatetime(UTC) for question in questions]
    ends = [question.end_time.ToDatetime(UTC) for question in questions]
    moment = "DateTime64(6, 'UTC')"
    parameters = Parameters()
    text = _TEXT.format(
        application=parameters.add(application, "String"),
        campaigns=parameters.add(ids, "Array(String)"),
        start=parameters.add(min(starts), moment),
        end=parameters.add(max(ends), moment),
        positions=parameters.add(list(range(len(questions))), "Array(UInt32)"),
        ids=parameters.add(ids, "Array(String)"),
        starts=parameters.add(starts, f"Array({moment})"),
        ends=parameters.add(ends, f"Array({moment})"),
    )
    return Statement(text, parameters.values)


def answers(count: int, rows: Iterable[Any]) -> list[Answer]:
    """An answer to each of so many questions."""
    found = [Answer() for _ in range(count)]
    for row in rows:
        found[row["position"]] = Answer(sent=row["sent"], delivered=row["delivered"])
    return found


def _campaign(application: str, question: Question) -> str:
    ids = names.parsed(names.CAMPAIGN, question.campaign, field="questions.campaign")
    if ids["application"] != application:
        pattern = f"applications/{application}/campaigns/{{campaign}}"
        raise resource_names.invalid(pattern, question.campaign, "questions.campaign")
    return ids["campaign"]
