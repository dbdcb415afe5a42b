import pytest
from campaign import campaigns
from google.protobuf import text_format
from google.protobuf.field_mask_pb2 import FieldMask
from heliograph.campaign.v1 import campaign_service_pb2 as pb
from heliograph.campaign.v1.campaign_pb2 import Campaign
from mesh.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unimplemented,
)

WELCOME = "applications/demo/campaigns/welcome"


def draft(extra=""):
    return text_format.Parse(
        f"""
        segment: "applications/demo/segments/all"
        treatments {{ treatment: "a" content {{ sms {{ body: "Hello" }} }} }}
        {extra}
        """,
        Campaign(),
    )


def create(campaign=None, campaign_id="welcome", request_id=""):
    return pb.CreateCampaignRequest(
        parent="applications/demo",
        campaign_id=campaign_id,
        campaign=campaign or draft(),
        request_id=request_id,
    )


async def test_a_campaign_is_written_read_listed_and_deleted(room):
    made = await room.campaigns.CreateCampaign(create())

    assert made.name == WELCOME
    assert made.state == Campaign.DRAFT
    assert await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME)) == made
    listed = await room.campaigns.ListCampaigns(pb.ListCampaignsRequest(parent="applications/demo"))
    assert list(listed.campaigns) == [made]
    await room.campaigns.DeleteCampaign(pb.DeleteCampaignRequest(name=WELCOME))
    with pytest.raises(NotFound):
        await room.campaigns.GetCampaign(pb.GetCampaignRequest(name=WELCOME))


async def test_pages_hold_every_campaign_once(room):
    for number in range(5):
        await room.campaigns.CreateCampaign(create(campaign_id=f"c{number}"))

    seen, token = [], ""
    while True:
        request = pb.ListCampaignsRequest(parent="applications/demo", page_size=2, page_token=token)
        page = await room.campaigns.ListCampaigns(request)
        seen += [campaign.name for campaign in page.campaigns]
        token = page.next_page_token
        if not token:
            break

    assert seen == [f"applications/demo/campaigns/c{number}" for number in range(5)]


async def test_the_same_request_id_gives_the_first_answer_again(room):
    first = await room.campaigns.CreateCampaign(create(request_id="r1"))

    assert await room.campaigns.CreateCampaign(create(request_id="r1")) == first
    with pytest.raises(AlreadyExists):
        await room.campaigns.CreateCampaign(create(request_id="r2"))


@pytest.mark.parametrize(
    ("extra", "reason", "field"),
    [
        ('treatments { treatment: "b" }', "REQUEST_INVALID", "campaign.treatments[1].content"),
        (
            'treatments { treatment: "b" content { } }',
            "CONTENT_MISSING",
            "campaign.treatments[1].content",
        ),
        (
            'treatments { treatment: "a" content { sms { body: "x" } } }',
            "TREATMENT_DUPLICATE",
            "campaign.treatments",
        ),
        (
            'treatments { treatment: "b" percent: 30 content { sms { body: "x" } } }',
            "TREATMENT_PERCENTS",
            "campaign.treatments",
        ),
        (f'topic: "{"x" * 101}"', "REQUEST_INVALID", "campaign.topic"),
        ("holdout_percent: 101", "REQUEST_INVALID", "campaign.holdout_percent"),
        (
            'schedule { timezone: "Mars/Olympus" }',
            "TIMEZONE_UNKNOWN",
            "campaign.schedule.timezone",
        ),
        (
            "schedule { start_time { seconds: 20 } end_time { seconds: 10 } }",
            "SCHEDULE_CONTRADICTORY",
            "campaign.schedule.end_time",
        ),
        (
            'schedule { quiet_time { start: "08:00" end: "07:59" policy: HOLD } }',
            "QUIET_TIME_ENDLESS",
            "campaign.schedule.quiet_time",
        ),
    ],
)
async def test_a_wrong_campaign_is_refused_with_the_field(room, extra, reason, field):
    with pytest.raises(InvalidArgument) as refusal:
        await room.campaigns.CreateCampaign(create(draft(extra)))

    assert refusal.value.reason == reason
    assert refusal.value.violations[0].field == field


@pytest.mark.parametrize(
    "extra",
    [
        "limits { session: 3 }",
        "schedule { local_time: true }",
        "schedule { frequency: EVENT }",
        'hook { url: "https://example.com" }',
    ],
)
async def test_what_would_be_ignored_is_refused(room, extra):
    with pytest.raises(Unimplemented) as refusal:
        await room.campaigns.CreateCampaign(create(draft(extra)))

    assert refusal.value.reason == "FIELD_NOT_SUPPORTED"
    assert refusal.value.metadata["fields"].startswith("campaign.")


async def test_a_segment_of_another_application_is_refused(room):
    foreign = draft()
    foreign.segment = "applications/other/segments/all"

    with pytest.raises(InvalidArgument) as refusal:
        await room.campaigns.CreateCampaign(create(foreign))

    assert refusal.value.reason == "FOREIGN_RESOURCE"


async def test_an_update_makes_a_version_and_needs_the_current_etag(room):
    made = await room.campaigns.CreateCampaign(create())
    changed = Campaign(name=WELCOME, display_name="Welcome!", etag=made.etag)
    mask = FieldMask(paths=["display_name"])

    updated = await room.campaigns.UpdateCampaign(
        pb.UpdateCampaignRequest(campaign=changed, update_mask=mask)
    )

    assert (updated.display_name, updated.version) == ("Welcome!", 2)
    assert updated.treatments == made.treatments
    with pytest.raises(Aborted):
        await room.campaigns.UpdateCampaign(
            pb.UpdateCampaignRequest(campaign=changed, update_mask=mask)
        )
    versions = await room.campaigns.ListCampaignVersions(
        pb.ListCampaignVersionsRequest(parent=WELCOME)
    )
    assert [version.campaign.display_name for version in versions.campaign_versions] == [
        "Welcome!",
        "",
    ]


async def test_an_update_may_not_break_the_campaign(room):
    await room.campaigns.CreateCampaign(create())

    with pytest.raises(InvalidArgument):
        await room.campaigns.UpdateCampaign(
            pb.UpdateCampaignRequest(
                campaign=Campaign(name=WELCOME), update_mask=FieldMask(paths=["treatments"])
            )
        )


async def test_a_launched_campaign_cannot_be_launched(room):
    await room.campaigns.CreateCampaign(create())
    launched = await room.campaigns.LaunchCampaign(pb.LaunchCampaignRequest(name=WELCOME))

    with pytest.raises(FailedPrecondition) as refusal:
        await room.campaigns.LaunchCampaign(pb.LaunchCampaignRequest(name=WELCOME))

    assert launched.state == Campaign.SCHEDULED
    assert refusal.value.reason == "CAMPAIGN_WRONG_STATE"
    assert refusal.value.message == (
        "a SCHEDULED campaign cannot be launched, only one that is DRAFT"
    )


async def test_a_launch_that_is_repeated_with_its_request_id_is_the_same_launch(room):
    await room.campaigns.CreateCampaign(create())
    request = pb.LaunchCampaignRequest(name=WELCOME, request_id="go")

    first = await room.campaigns.LaunchCampaign(request)

    assert await room.campaigns.LaunchCampaign(request) == first


async def test_a_campaign_without_a_message_for_the_channel_is_not_launched(room):
    campaign = draft()
    campaign.treatments[0].content.ClearField("sms")
    campaign.treatments[0].content.email.subject = "Hello"
    await room.campaigns.CreateCampaign(create(campaign))

    with pytest.raises(FailedPrecondition) as refusal:
        await room.campaigns.LaunchCampaign(pb.LaunchCampaignRequest(name=WELCOME))

    assert refusal.value.reason == "NO_MESSAGE_FOR_CHANNEL"
    assert "SMS" in refusal.value.message


async def test_a_campaign_without_its_segment_is_not_launched(room, audience):
    await room.campaigns.CreateCampaign(create())
    audience.missing = True

    with pytest.raises(FailedPrecondition) as refusal:
        await room.campaigns.LaunchCampaign(pb.LaunchCampaignRequest(name=WELCOME))

    assert refusal.value.reason == "SEGMENT_NOT_FOUND"


async def test_a_schedule_that_has_ended_is_not_launched(room):
    await room.campaigns.CreateCampaign(
        create(draft("schedule { start_time { seconds: 10 } end_time { seconds: 20 } }"))
    )

    with pytest.raises(FailedPrecondition) as refusal:
        await room.campaigns.LaunchCampaign(pb.LaunchCampaignRequest(name=WELCOME))

    assert refusal.value.reason == "SCHEDULE_CONTRADICTORY"


async def test_a_foreign_token_reaches_nothing(room, rpc_client, mint_token):
    await room.campaigns.CreateCampaign(create())
    from campaign.campaign_servicer import CampaignServicer
    from heliograph.campaign.v1.campaign_service_pb2_grpc import CampaignServiceStub

    servicer = CampaignServicer(room.sessions, None, room.clock.now)
    stranger = CampaignServiceStub(
        await rpc_client(
            {"heliograph.campaign.v1.CampaignService": servicer},
            token=mint_token(applications=["other"], roles=["writer"]),
        )
    )

    with pytest.raises(PermissionDenied):
        await stranger.GetCampaign(pb.GetCampaignRequest(name=WELCOME))


def test_run_ids_sort_by_time(clock):
    first = campaigns.run_id(clock.now())
    clock.forward(seconds=1)

    assert campaigns.run_id(clock.now()) > first
