"""analytics and campaign as this room sees them: counts, pauses, and can be away."""

import asyncio
from typing import Any

from heliograph.analytics.v1 import report_service_pb2
from heliograph.campaign.v1 import campaign_pb2, campaign_service_pb2
from mesh.errors import Aborted, Error

REPORTS = report_service_pb2.DESCRIPTOR.services_by_name["ReportService"].full_name
CAMPAIGNS = campaign_service_pb2.DESCRIPTOR.services_by_name["CampaignService"].full_name
Answer = report_service_pb2.QueryCampaignMessagesResponse.Answer


class ReportServicer:
    """`delivered` and `sent` are times at which messages of campaigns were."""

    def __init__(self) -> None:
        self.delivered: dict[str, list[float]] = {}
        self.sent: dict[str, list[float]] = {}
        self.calls = 0
        self.failures: list[Error] = []

    async def QueryCampaignMessages(
        self, request: report_service_pb2.QueryCampaignMessagesRequest, context: Any
    ) -> report_service_pb2.QueryCampaignMessagesResponse:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return report_service_pb2.QueryCampaignMessagesResponse(
            answers=[
                Answer(
                    sent=_within(self.sent, question), delivered=_within(self.delivered, question)
                )
                for question in request.questions
            ]
        )


class CampaignServicer:
    """`paused` are the campaigns that were, once for each request id. With `asked`, it says so and
    never answers; with `answers_lost`, it pauses and so many answers do not arrive."""

    def __init__(self) -> None:
        self.paused: list[str] = []
        self.answers_lost = 0
        self._seen: set[str] = set()
        self.failures: list[Error] = []
        self.asked: asyncio.Event | None = None

    async def PauseCampaign(
        self, request: campaign_service_pb2.PauseCampaignRequest, context: Any
    ) -> campaign_pb2.Campaign:
        if self.failures:
            raise self.failures.pop(0)
        if self.asked is not None:
            self.asked.set()
            await asyncio.Future()
        if request.request_id not in self._seen:
            self._seen.add(request.request_id)
            self.paused.append(request.name)
        if self.answers_lost:
            self.answers_lost -= 1
            raise Aborted("ANSWER_LOST", "nobody heard it")
        return campaign_pb2.Campaign(name=request.name, state=campaign_pb2.Campaign.PAUSED)


def _within(times: dict[str, list[float]], question: Any) -> int:
    begin, end = (stamp.ToNanoseconds() / 1e9 for stamp in (question.start_time, question.end_time))
    return sum(begin <= time < end for time in times.get(question.campaign, ()))
