"""A campaign `welcome` to everybody, launched and begun."""

from campaign import ticker
from google.protobuf import text_format
from heliograph.campaign.v1 import campaign_service_pb2 as pb
from heliograph.campaign.v1 import run_service_pb2
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.run_pb2 import Run

WELCOME = "applications/demo/campaigns/welcome"


async def launch(room, extra=""):
    campaign = text_format.Parse(
        f"""
        segment: "applications/demo/segments/all"
        treatments {{ treatment: "a" content {{ sms {{ body: "Hello" }} }} }}
        treatments {{ treatment: "b" content {{ sms {{ body: "Hi" }} }} }}
        holdout_percent: 10
        {extra}
        """,
        Campaign(),
    )
    await room.campaigns.CreateCampaign(
        pb.CreateCampaignRequest(
            parent="applications/demo", campaign_id="welcome", campaign=campaign
        )
    )
    await room.campaigns.LaunchCampaign(pb.LaunchCampaignRequest(name=WELCOME))


async def begin(room):
    """Let the due run begin; its name."""
    assert await ticker.tick(room.sessions, room.clock.now)
    campaign = await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))
    return campaign.latest_run


async def state_of(room, run):
    answer = await room.runs.GetRun(run_service_pb2.GetRunRequest(name=run))
    return Run.State.Name(answer.state)
