"""People opt out of a campaign one after the other, and it is held before it writes to more."""

import pytest
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.campaign_service_pb2 import GetCampaignRequest
from heliograph.campaign.v1.schedule_pb2 import Schedule
from heliograph.opt_outs import of_campaign
from heliograph.twoway.v1 import opt_out_alarm_service_pb2 as pb
from heliograph.twoway.v1.opt_out_alarm_pb2 import OptOutAlarm
from heliograph.twoway.v1.opt_out_service_pb2 import SummarizeConsentChangesRequest as Asked
from mesh.testkit.waiting import eventually

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("mesh")]

PHONES = 12


async def test_a_campaign_that_drives_people_away_is_paused(shop, tmp_path):
    await shop.import_phones(PHONES, tmp_path)
    run = await shop.launch("shoes", "Shoes! Shoes!", schedule=Schedule(frequency=Schedule.DAILY))
    await shop.finished(run)
    await shop.reported(run)
    campaign = f"{shop.parent}/campaigns/shoes"
    await shop.say(shop.phones[:3], "STOP")

    async def are_counted():
        asked = Asked(parent=shop.parent, group_by=Asked.CAMPAIGN)
        rows = (await shop.client.opt_outs.SummarizeConsentChanges(asked)).rows
        return [(row.group, row.opted_out_count) for row in rows] == [(campaign, 3)]

    await eventually(are_counted)
    assert await of_campaign(shop.client, campaign) == 3
    alarm = await shop.client.opt_out_alarms.CreateOptOutAlarm(
        pb.CreateOptOutAlarmRequest(
            parent=shop.parent,
            opt_out_alarm_id="annoyed",
            opt_out_alarm=OptOutAlarm(rate_max=0.1, delivered_min=10, pause_campaign=True),
        )
    )

    async def is_paused():
        found = await shop.client.campaigns.GetCampaign(GetCampaignRequest(name=campaign))
        return found.state == Campaign.PAUSED

    async def stands():
        read = pb.GetOptOutAlarmRequest(name=alarm.name)
        found = await shop.client.opt_out_alarms.GetOptOutAlarm(read)
        (state,) = found.campaign_states
        assert (state.state, state.pause) == (OptOutAlarm.ALARM, state.DONE)
        return state

    await eventually(is_paused)
    state = await eventually(stands)
    assert (state.campaign, state.opted_out_count, state.delivered_count) == (campaign, 3, PHONES)
