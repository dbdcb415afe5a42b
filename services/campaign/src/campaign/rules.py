"""What limits a run: asked for when it begins, and kept with it.

A run's batches carry the same rules from its first page to its last, whatever its application's
settings become meanwhile; the next run begins with the new ones.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from heliograph import sending_rules
from heliograph.audience.v1 import application_service_pb2, application_service_pb2_grpc
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from sqlmodel.ext.asyncio.session import AsyncSession

from campaign import campaigns, store
from campaign.tables import RunRow

ReadSettings = Callable[[str], Awaitable[ApplicationSettings]]


@dataclass(frozen=True)
class Applications:
    """The applications of audience."""

    stub: "application_service_pb2_grpc.ApplicationServiceAsyncStub"

    async def settings(self, application: str) -> ApplicationSettings:
        """What holds for everything in the application. NOT_FOUND when it is gone."""
        name = f"applications/{application}"
        request = application_service_pb2.GetApplicationRequest(name=name)
        return (await self.stub.GetApplication(request)).settings


def fixed(
    run: RunRow, campaign: Campaign, settings: ApplicationSettings, *, counted: bool
) -> SendBatch:
    """The part of each of a run's batches that limits it."""
    duration = sending_rules.duration_max(settings, campaign)
    return SendBatch(
        quiet_time=sending_rules.quiet_time(settings, campaign),
        caps=sending_rules.caps(settings, campaign, counted=counted),
        expire_time=campaigns.timestamp(run.schedule_time + duration) if duration else None,
    )


async def fix(
    session: AsyncSession, run: RunRow, campaign: Campaign, settings: ApplicationSettings
) -> bool:
    """Keep a run's rules with it; false when the run is no longer this worker's."""
    counted = await store.has_daily_max(session, run.application)
    rules = fixed(run, campaign, settings, counted=counted)
    run.rules = rules.SerializeToString(deterministic=True)
    run.messages_per_second = sending_rules.messages_per_second_max(settings, campaign)
    return await store.keep_rules(session, run)
