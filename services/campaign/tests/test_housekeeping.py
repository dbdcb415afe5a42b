"""A request id is known for its days, and not longer; what it made stays."""

from datetime import UTC, datetime, timedelta

import pytest
from campaign.settings import Settings
from heliograph.campaign.v1 import campaign_pb2, campaign_service_pb2
from mesh.aip import request_ids
from mesh.errors import AlreadyExists
from mesh.store import purging

PURGES = [request_ids.aged(Settings(request_id_retention_days=30).request_id_retention)]


async def purge(room, days_later):
    return await purging.step(room.sessions, PURGES, datetime.now(UTC) + timedelta(days=days_later))


async def test_an_old_request_id_is_taken_for_a_new_one(room):
    request = campaign_service_pb2.CreateCampaignRequest(
        parent="applications/demo",
        campaign_id="spring",
        campaign=campaign_pb2.Campaign(
            segment="applications/demo/segments/all",
            treatments=[{"treatment": "a", "content": {"sms": {"body": "Hello"}}}],
        ),
        request_id="r1",
    )
    first = await room.campaigns.CreateCampaign(request)

    assert await purge(room, 29) == 0
    assert await room.campaigns.CreateCampaign(request) == first
    assert await purge(room, 31) == 1

    with pytest.raises(AlreadyExists):
        await room.campaigns.CreateCampaign(request)
    found = await room.campaigns.GetCampaign(
        campaign_service_pb2.GetCampaignRequest(name=first.name)
    )
    assert found == first
