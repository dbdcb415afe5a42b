"""Campaign messages per second end to end over SMPP, against the carrier simulator alone.

The clock runs from the launch until the ledger has the receipt of the last message; ledger,
consent, receipts and analytics are at work meanwhile. The yardstick is the same simulator with the
same session, window and texts, and nothing behind them.
"""

import asyncio
import time
from typing import NamedTuple

from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_filter_pb2 as filters
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import CreateSegmentRequest
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.campaign_service_pb2 import (
    CreateCampaignRequest,
    LaunchCampaignRequest,
)
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.message_service_pb2 import CountMessagesRequest
from heliograph.runs import latest

from localmesh.bench.carrier_alone import carrier_rate
from localmesh.bench.costs import Costs
from localmesh.bench.rounds import Round, middle_of
from localmesh.bench.stage import PARENT, Stage

TEXT = "Hello {{User.UserAttributes.FirstName.[0]}}, autumn sale at Sample Shop. STOP to leave."
SEGMENT = f"{PARENT}/segments/phones"
RATE_MIN = 2_000
ROUNDS = 3
POLL_SECONDS = 0.05
MESSAGES_A_SECOND_MAX = 10_000
"""Faster than it will be, so that the end is not slept through."""
FINAL = {Message.DELIVERED, Message.FAILED, Message.SKIPPED}
HANDED_OVER = {*FINAL, Message.SENT}


class Pace(NamedTuple):
    """Messages a second, until the carrier's answer was recorded and until its receipt was."""

    sent: float
    received: float


async def measure(stage: Stage) -> None:
    """Campaigns to everybody who has a phone, one after the other."""
    await stage.people()
    await _create_segment(stage)
    paces: dict[Round, Pace] = {}
    costs = Costs(stage.pids)

    async def one(number: int) -> Round:
        yardstick = await carrier_rate(stage.mesh.description.providers["smpp"], TEXT)
        with costs.paying(stage.sample.by_channel["SMS"]):
            pace = await _campaign(stage, f"bench-{number}")
        taken = Round(pace.received, yardstick)
        paces[taken] = pace
        return taken

    middle = await middle_of(ROUNDS, one)
    stage.note("the carrier simulator alone", middle.yardstick, "messages/s", process="carrier")
    stage.note(
        "campaign messages sent and recorded",
        paces[middle].sent,
        "messages/s",
        yardstick=middle.yardstick,
        process="messaging",
    )
    stage.note(
        "campaign messages with their receipts",
        paces[middle].received,
        "messages/s",
        limit=RATE_MIN,
        process="messaging",
    )
    stage.note_costs(costs, "message")


async def _create_segment(stage: Stage) -> None:
    phones = filters.ChannelCondition(operator=filters.INCLUSIVE, channel_types=[channels.SMS])
    await stage.client.segments.CreateSegment(
        CreateSegmentRequest(
            parent=PARENT,
            segment_id="phones",
            segment=Segment(filter=filters.SegmentFilter(channel=phones)),
        )
    )


async def _campaign(stage: Stage, campaign_id: str) -> Pace:
    campaign = Campaign(segment=SEGMENT)
    campaign.treatments.add(treatment="a").content.sms.body = TEXT
    await stage.client.campaigns.CreateCampaign(
        CreateCampaignRequest(parent=PARENT, campaign_id=campaign_id, campaign=campaign)
    )
    name = f"{PARENT}/campaigns/{campaign_id}"
    began = time.perf_counter()
    await stage.client.campaigns.LaunchCampaign(LaunchCampaignRequest(name=name))
    run = await latest(stage.client, name)
    messages = stage.sample.by_channel["SMS"]
    sent, received = [
        await _until(stage, run, messages, states) - began for states in (HANDED_OVER, FINAL)
    ]
    return Pace(messages / sent, messages / received)


async def _until(
    stage: Stage, run: str, messages: int, states: "set[Message.State.ValueType]"
) -> float:
    """The moment at which all the run's messages are in these states.

    Counting costs the ledger time, so it is asked the more often the fewer are left.
    """
    request = CountMessagesRequest(parent=PARENT, run=run)
    while True:
        counts = (await stage.client.messages.CountMessages(request)).counts
        left = messages - sum(count.count for count in counts if count.state in states)
        if left <= 0:
            return time.perf_counter()
        await asyncio.sleep(max(POLL_SECONDS, left / MESSAGES_A_SECOND_MAX))
