"""What limits a campaign: what it says itself, else what its application says. Pure.

An application's quiet time and caps are for promotional campaigns; what a campaign says itself
holds for it whatever its purpose. A run keeps to the rules that it began with.
"""

from datetime import timedelta

from heliograph.audience.v1.application_pb2 import ApplicationSettings
from heliograph.campaign.v1.campaign_pb2 import Campaign
from heliograph.campaign.v1.schedule_pb2 import QuietTime
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

PROMOTIONAL = frozenset({Purpose.PURPOSE_UNSPECIFIED, Purpose.PROMOTIONAL})
NOTHING = ApplicationSettings()


def quiet_time(settings: ApplicationSettings, campaign: Campaign) -> SendBatch.QuietTime | None:
    """When the campaign's recipients are not disturbed; None: at no time."""
    schedule, default = campaign.schedule, for_purpose(settings, campaign)
    if schedule.HasField("quiet_time"):
        said: QuietTime | ApplicationSettings.QuietTime = schedule.quiet_time
        hold = schedule.quiet_time.policy == QuietTime.HOLD
    elif default.HasField("quiet_time"):
        said = default.quiet_time
        hold = default.quiet_time.policy == ApplicationSettings.QuietTime.HOLD
    else:
        return None
    policy = settings.missing_time_zone_policy or ApplicationSettings.SKIP
    by_default = policy == ApplicationSettings.USE_DEFAULT
    return SendBatch.QuietTime(
        start=said.start,
        end=said.end,
        hold=hold,
        keep_pace=hold and messages_per_second_max(settings, campaign) > 0,
        missing_time_zone_policy=policy,
        default_time_zone=settings.default_time_zone if by_default else "",
    )


def caps(
    settings: ApplicationSettings, campaign: Campaign, *, counted: bool
) -> SendBatch.Caps | None:
    """How many messages an endpoint gets; None: they are neither limited nor counted.

    `counted` says that another campaign of the application has a daily limit. Messages of what is
    not promotional count only for the campaign's own limits. `campaign` needs its name and the time
    it was created.
    """
    own, default = campaign.limits, for_purpose(settings, campaign).message_limits
    daily_max, total_max = own.daily or default.daily_max, own.total or default.total_max
    if not (daily_max or total_max or (counted and campaign.purpose in PROMOTIONAL)):
        return None
    return SendBatch.Caps(daily_max=daily_max, total_max=total_max, total_key=total_key(campaign))


def total_key(campaign: Campaign) -> str:
    """A campaign for as long as it lives: one that is deleted and created anew counts from zero."""
    campaign_id = campaign.name.rpartition("/")[2]
    return f"{campaign_id}/{campaign.create_time.ToMicroseconds()}"


def for_purpose(settings: ApplicationSettings, campaign: Campaign) -> ApplicationSettings:
    """The settings, as far as they spare recipients: none of them for what is not promotional."""
    return settings if campaign.purpose in PROMOTIONAL else NOTHING


def duration_max(settings: ApplicationSettings, campaign: Campaign) -> timedelta | None:
    """How long a run may send after its scheduled start; None: without end."""
    if campaign.limits.HasField("maximum_duration"):
        return campaign.limits.maximum_duration.ToTimedelta()
    if settings.message_limits.HasField("run_duration_max"):
        return settings.message_limits.run_duration_max.ToTimedelta()
    return None


def messages_per_second_max(settings: ApplicationSettings, campaign: Campaign) -> int:
    """How many messages of a run may be handed over in a second; 0: as many as can be."""
    return campaign.limits.messages_per_second or settings.message_limits.messages_per_second_max
