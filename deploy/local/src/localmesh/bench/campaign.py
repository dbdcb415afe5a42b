"""Campaign messages per second end to end over SMPP, against the carrier simulator alone."""

from collections.abc import Sequence

from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.audience.v1 import segment_filter_pb2 as filters
from heliograph.audience.v1.segment_pb2 import Segment
from heliograph.audience.v1.segment_service_pb2 import CreateSegmentRequest
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.campaign_service_pb2 import (
    CreateCampaignRequest,
    LaunchCampaignRequest,
)
from heliograph.campaign.v1.run_pb2 import Run
from heliograph.runs import ended, latest
from mesh.smpp import Bind, Carrier, DeliverSm, Esme, SubmitSm

from localmesh.bench.stage import PARENT, Stage, stopwatch

TEXT = "Hello {{User.UserAttributes.FirstName.[0]}}, autumn sale at Sample Shop. STOP to leave."
SEGMENT = f"{PARENT}/segments/phones"
RATE_MIN = 2_000
RAW_MESSAGES = 20_000
RAW_WINDOW = 64


async def measure(stage: Stage) -> None:
    """A campaign to the imported phones, with ledger, consent and receipts on."""
    raw_rate = await _carrier_alone(stage)
    stage.note("the carrier simulator alone", raw_rate, "messages/s", process="carrier")
    phones = filters.ChannelCondition(operator=filters.INCLUSIVE, channel_types=[channels.SMS])
    await stage.client.segments.CreateSegment(
        CreateSegmentRequest(
            parent=PARENT,
            segment_id="phones",
            segment=Segment(filter=filters.SegmentFilter(channel=phones)),
        )
    )
    run = await _campaign(stage)
    seconds = (run.end_time.ToNanoseconds() - run.start_time.ToNanoseconds()) / 1e9
    stage.note(
        "campaign messages, end to end",
        run.members / seconds,
        "messages/s",
        yardstick=raw_rate,
        process="messaging",
    )
    stage.note("… of at least", run.members / seconds, "messages/s", limit=RATE_MIN)


async def _campaign(stage: Stage) -> Run:
    campaign = Campaign(segment=SEGMENT)
    campaign.treatments.add(treatment="a").content.sms.body = TEXT
    await stage.client.campaigns.CreateCampaign(
        CreateCampaignRequest(parent=PARENT, campaign_id="bench", campaign=campaign)
    )
    name = f"{PARENT}/campaigns/bench"
    await stage.client.campaigns.LaunchCampaign(LaunchCampaignRequest(name=name))
    return await ended(stage.client, await latest(stage.client, name))


async def _carrier_alone(stage: Stage) -> float:
    """As fast as our own session can hand messages over, receipts included."""
    smpp = stage.mesh.description.providers["smpp"]
    bind = Bind(system_id=smpp["system_id"], password=smpp["password"])
    carrier = Carrier(smpp["host"], smpp["port"], bind)
    receipts = 0

    async def delivered(messages: Sequence[DeliverSm]) -> None:
        nonlocal receipts
        receipts += len(messages)

    pdus = [
        SubmitSm("12125550198", f"1212{2_000_000 + serial}", TEXT.encode(), registered_delivery=1)
        for serial in range(RAW_MESSAGES)
    ]
    async with Esme(carrier, delivered) as esme:
        await esme.wait_bound(10)
        with stopwatch() as handing:
            await esme.submit_many(pdus)
    return RAW_MESSAGES / handing.seconds
