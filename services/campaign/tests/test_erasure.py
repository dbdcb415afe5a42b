"""A deleted application: its runs stop, nothing of it is left, and the answer says so."""

import asyncio

import pytest
from campaign import erasure, ticker
from google.protobuf import text_format
from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from heliograph.campaign.v1 import campaign_service_pb2 as pb
from heliograph.campaign.v1.campaign_pb2 import Campaign
from mesh.eventing import jetstream, publisher
from mesh.store.tombstones import Tombstones
from mesh.testkit import eventually
from mesh.testkit.bus import last_published
from mesh.testkit.tenants import rows_left

OPERATION = "applications/demo/operations/o1"


@pytest.fixture
async def launched(room):
    """A campaign whose run is due and has begun, in each of two applications."""
    campaign = text_format.Parse(
        'treatments { treatment: "a" content { sms { body: "Hello" } } }', Campaign()
    )
    for application in ("demo", "other"):
        parent = f"applications/{application}"
        campaign.segment = f"{parent}/segments/all"
        request = pb.CreateCampaignRequest(
            parent=parent, campaign_id="welcome", campaign=campaign, request_id="r1"
        )
        await room.campaigns.CreateCampaign(request)
        await room.campaigns.LaunchCampaign(
            pb.LaunchCampaignRequest(name=f"{parent}/campaigns/welcome")
        )
    assert await ticker.tick(room.sessions, room.clock.now)
    await jetstream.ensure_streams(room.js, subjects.AUDIENCE, subjects.CAMPAIGN)
    return room


async def delete(js, application="demo"):
    event = ApplicationDeleted(application=application, operation=OPERATION)
    event.delete_time.GetCurrentTime()
    await publisher.publish(js, event, application)


async def report(js):
    subject = subjects.subject(ErasureReport, "demo")
    return await last_published(js, subjects.AUDIENCE.name, subject, ErasureReport)


async def test_everything_of_it_is_erased_and_told(launched):
    gone = Tombstones(launched.sessions)
    erasures = erasure.erasures(launched.sessions, launched.js, gone, settle_seconds=0.1)
    working = asyncio.create_task(erasures.run())
    async with erasures.consumer(subjects.AUDIENCE.name):
        await delete(launched.js)

        async def is_told():
            return await report(launched.js) is not None

        await eventually(is_told)
    working.cancel()
    await asyncio.wait([working])

    told = await report(launched.js)
    left = await rows_left(launched.sessions, "demo")
    assert (told.service, told.operation, told.HasField("erase_time")) == (
        "campaign",
        OPERATION,
        True,
    )
    assert {table: rows for table, rows in told.erased_rows.items() if rows} == {
        "campaign": 1,
        "campaign_version": 1,
        "run": 1,
        "request_ids": 2,
    }
    assert set(left) == {"tombstones"}
    orders = {"erasure_orders"}  # of which there are none
    assert set(await rows_left(launched.sessions, "other")) == set(told.erased_rows) - orders
    assert "demo" in gone


async def test_its_runs_stop_before_anything_goes(launched):
    await erasure.stop(launched.sessions, "demo")

    for worker in ("w1", "w2"):
        await launched.fanout(worker).step()
    batches = await launched.sent("*")

    assert {batch.application for batch in batches} == {"other"}
