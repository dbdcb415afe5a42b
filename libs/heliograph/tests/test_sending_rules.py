"""What limits a campaign: its own values, its application's, and its purpose."""

import pytest
from google.protobuf import text_format
from heliograph import sending_rules
from heliograph.audience.v1.application_pb2 import ApplicationSettings
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

SETTINGS = text_format.Parse(
    """
    message_limits {
      daily_max: 5 total_max: 9 messages_per_second_max: 100 run_duration_max { seconds: 3600 }
    }
    quiet_time { start: "22:00" end: "06:00" }
    missing_time_zone_policy: USE_DEFAULT
    default_time_zone: "Europe/Berlin"
    """,
    ApplicationSettings(),
)
NOTHING = ApplicationSettings()
HOLDING = text_format.Parse(
    'quiet_time { start: "22:00" end: "06:00" policy: HOLD }', ApplicationSettings()
)
KEY = 'total_key: "spring/7000000"'
OWN_QUIET = 'schedule { quiet_time { start: "20:00" end: "21:00" } }'
BERLIN = 'missing_time_zone_policy: USE_DEFAULT default_time_zone: "Europe/Berlin"'


def campaign(written=""):
    made = text_format.Parse(written, Campaign(name="applications/shop/campaigns/spring"))
    made.create_time.seconds = 7
    return made


@pytest.mark.parametrize(
    ("settings", "written", "expected"),
    [
        (NOTHING, "", None),
        (SETTINGS, "", f'start: "22:00" end: "06:00" {BERLIN}'),
        (SETTINGS, "purpose: PROMOTIONAL", f'start: "22:00" end: "06:00" {BERLIN}'),
        (SETTINGS, OWN_QUIET, f'start: "20:00" end: "21:00" {BERLIN}'),
        (SETTINGS, "purpose: TRANSACTIONAL", None),
        (
            SETTINGS,
            f"purpose: TRANSACTIONAL {OWN_QUIET}",
            f'start: "20:00" end: "21:00" {BERLIN}',
        ),
        (HOLDING, "", 'start: "22:00" end: "06:00" hold: true missing_time_zone_policy: SKIP'),
        (
            HOLDING,
            OWN_QUIET,
            'start: "20:00" end: "21:00" missing_time_zone_policy: SKIP',
        ),
        (
            NOTHING,
            'schedule { quiet_time { start: "20:00" end: "21:00" policy: HOLD } }',
            'start: "20:00" end: "21:00" hold: true missing_time_zone_policy: SKIP',
        ),
        (
            HOLDING,
            "limits { messages_per_second: 5 }",
            'start: "22:00" end: "06:00" hold: true keep_pace: true missing_time_zone_policy: SKIP',
        ),
        (NOTHING, OWN_QUIET, 'start: "20:00" end: "21:00" missing_time_zone_policy: SKIP'),
    ],
)
def test_quiet_time_is_the_campaigns_else_for_promotional_ones_the_applications(
    settings, written, expected
):
    assert sending_rules.quiet_time(settings, campaign(written)) == parsed(
        expected, SendBatch.QuietTime
    )


@pytest.mark.parametrize(
    ("settings", "written", "counted", "expected"),
    [
        (NOTHING, "", False, None),
        (NOTHING, "", True, KEY),
        (NOTHING, "limits { daily: 2 }", False, f"daily_max: 2 {KEY}"),
        (NOTHING, "limits { total: 2 }", False, f"total_max: 2 {KEY}"),
        (SETTINGS, "", False, f"daily_max: 5 total_max: 9 {KEY}"),
        (SETTINGS, "limits { daily: 7 }", False, f"daily_max: 7 total_max: 9 {KEY}"),
        (SETTINGS, "limits { total: 1 }", False, f"daily_max: 5 total_max: 1 {KEY}"),
        (SETTINGS, "purpose: TRANSACTIONAL", True, None),
        (SETTINGS, "purpose: TRANSACTIONAL limits { total: 1 }", True, f"total_max: 1 {KEY}"),
    ],
)
def test_caps_are_the_campaigns_else_for_promotional_ones_the_applications(
    settings, written, counted, expected
):
    assert sending_rules.caps(settings, campaign(written), counted=counted) == parsed(
        expected, SendBatch.Caps
    )


@pytest.mark.parametrize(
    ("settings", "written", "per_second", "seconds"),
    [
        (NOTHING, "", 0, None),
        (SETTINGS, "", 100, 3600),
        (SETTINGS, "purpose: TRANSACTIONAL", 100, 3600),
        (SETTINGS, "limits { messages_per_second: 7 maximum_duration { seconds: 60 } }", 7, 60),
    ],
)
def test_pace_and_duration_are_the_campaigns_else_the_applications(
    settings, written, per_second, seconds
):
    made = campaign(written)
    duration = sending_rules.duration_max(settings, made)

    assert sending_rules.messages_per_second_max(settings, made) == per_second
    assert (duration.total_seconds() if duration else None) == seconds


def test_a_campaign_that_is_created_anew_counts_from_zero():
    again = campaign()
    again.create_time.seconds = 8

    assert sending_rules.total_key(again) != sending_rules.total_key(campaign())


def parsed(text, kind):
    return None if text is None else text_format.Parse(text, kind())
