"""What alarms look at: opt-outs of campaigns, from the record, and messages, from analytics."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from heliograph.analytics.v1 import report_service_pb2
from mesh.errors import Error
from mesh.telemetry import logging

from twoway import clock, names
from twoway.alarms.deciding import Counts, begin
from twoway.alarms.tables import OptOutAlarmRow

if TYPE_CHECKING:
    from heliograph.analytics.v1.report_service_pb2_grpc import ReportServiceAsyncStub

log = logging.get(__name__)

TIMEOUT_SECONDS: Final = 10.0
QUESTIONS_MAX: Final = 1_000
Request = report_service_pb2.QueryCampaignMessagesRequest

# A person who wrote STOP twice opted out once. Campaigns in alarm are looked at also when nobody
# opts out of them any more, so that they can be quiet again.
_OPT_OUTS: Final = """
WITH watched AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
        AS w (application, opt_out_alarm, campaign, since)
), answered AS (
    SELECT w.application, w.opt_out_alarm, split_part(a.run, '/', 2) AS campaign, c.phone_number,
        c.change_time
    FROM watched w
    JOIN consent_changes c ON c.application = w.application AND c.kind = 'OPTED_OUT'
        AND c.change_time >= w.since AND c.change_time < $5
    JOIN message_answers a ON a.application = c.application
        AND a.inbound_message = c.inbound_message AND a.run <> ''
    WHERE w.campaign IN ('', split_part(a.run, '/', 2))
), counted AS (
    SELECT n.application, n.opt_out_alarm, n.campaign,
        count(DISTINCT n.phone_number) FILTER (
            WHERE s.trigger_time IS NULL OR n.change_time >= s.trigger_time
        ) AS opted_out
    FROM answered n LEFT JOIN opt_out_alarm_states s USING (application, opt_out_alarm, campaign)
    GROUP BY 1, 2, 3
)
SELECT application, opt_out_alarm, campaign, coalesce(n.opted_out, 0) AS opted_out, s.trigger_time
FROM counted n FULL JOIN (
    SELECT s.* FROM opt_out_alarm_states s JOIN watched w USING (application, opt_out_alarm)
) s USING (application, opt_out_alarm, campaign)
WHERE n.opted_out IS NOT NULL OR s.state = 'ALARM'
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was counted of a campaign for an alarm."""

    alarm: OptOutAlarmRow
    campaign: str
    counts: Counts


class Counting:
    """Counts for alarms, many at once. `pool` reads the record of consent."""

    def __init__(self, pool: Any, reports: "ReportServiceAsyncStub") -> None:
        self._pool = pool
        self._reports = reports

    async def count(self, alarms: Sequence[OptOutAlarmRow], now: datetime) -> list[Finding]:
        """What happened to campaigns; nothing of applications that analytics is silent about."""
        rows = await self._pool.fetch(
            _OPT_OUTS,
            [one.application for one in alarms],
            [one.opt_out_alarm for one in alarms],
            [one.campaign for one in alarms],
            [begin(one, None, now) for one in alarms],
            now,
        )
        of_application = defaultdict(list)
        for row in rows:
            of_application[row["application"]].append(row)
        by_key = {(one.application, one.opt_out_alarm): one for one in alarms}
        findings = []
        for application, mine in of_application.items():
            for at in range(0, len(mine), QUESTIONS_MAX):
                part = [
                    (by_key[(application, row["opt_out_alarm"])], row)
                    for row in mine[at : at + QUESTIONS_MAX]
                ]
                findings += await self._of_application(application, part, now)
        return findings

    async def _of_application(
        self, application: str, part: Sequence[tuple[OptOutAlarmRow, Any]], now: datetime
    ) -> list[Finding]:
        request = Request(parent=f"applications/{application}")
        for alarm, row in part:
            request.questions.add(
                campaign=names.campaign(application, row["campaign"]),
                start_time=clock.stamp(begin(alarm, row["trigger_time"], now)),
                end_time=clock.stamp(now),
            )
        try:
            response = await self._reports.QueryCampaignMessages(request, timeout=TIMEOUT_SECONDS)
        except Error as error:
            log.warning("alarms.not_counted", application=application, error=repr(error))
            return []
        return [
            Finding(alarm, row["campaign"], Counts(row["opted_out"], one.delivered or one.sent))
            for (alarm, row), one in zip(part, response.answers, strict=True)
        ]
