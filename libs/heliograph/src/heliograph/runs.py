"""Runs of campaigns, from the outside: waiting for the first one, and following it to its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.campaign_service_pb2 import GetCampaignRequest
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.campaign.v1.run_service_pb2 import WatchRunRequest
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.client import Client

POLL_SECONDS = 0.1
BREAKS_MAX = 20
BREAK_SECONDS = 0.5
_RUNLESS = (Campaign.DRAFT, Campaign.CANCELLED)


async def latest(mesh: "Client", campaign: str) -> str:
    """The name of the campaign's latest run, once it has one.

    FAILED_PRECONDITION when it will not have one: it is a draft, or was cancelled before its time.
    """
    request = GetCampaignRequest(name=campaign)
    # The campaign only tells when asked.
    while not (found := await mesh.campaigns.GetCampaign(request)).latest_run:
        if found.state in _RUNLESS:
            state = Campaign.State.Name(found.state)
            raise HeliographError(
                "FAILED_PRECONDITION", f"a {state} campaign has no run: launch it first"
            )
        await asyncio.sleep(POLL_SECONDS)
    return str(found.latest_run)


async def watch_run(mesh: "Client", run: str) -> AsyncIterator[Run]:
    """The run as it changes, until it has ended; a broken stream is taken up again."""
    breaks = 0
    while True:
        try:
            async for seen in mesh.runs.WatchRun(WatchRunRequest(name=run)):
                breaks = 0
                yield seen
        except HeliographError as error:
            breaks += 1
            if error.code != "UNAVAILABLE" or breaks > BREAKS_MAX:
                raise
            await asyncio.sleep(BREAK_SECONDS)
        else:
            return


async def ended(mesh: "Client", run: str) -> Run:
    """The run once it has ended."""
    return [seen async for seen in watch_run(mesh, run)][-1]
