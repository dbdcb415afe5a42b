"""What limits a campaign's messages to one endpoint at this moment: quiet time and caps. Pure."""

from collections.abc import Iterator
from datetime import datetime

from heliograph import quiet_times
from heliograph.audience.v1.endpoint_pb2 import Endpoint, EstimatedTimeZone
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from audience.eligibility.answers import Limits, Unanswered
from audience.eligibility.findings import Finding, unknown


def findings(endpoint: Endpoint, limits: Limits, now: datetime) -> Iterator[Finding]:
    """The limits that are against it."""
    if limits.quiet_time is not None:
        yield from _quiet_time(endpoint, limits.quiet_time, now)
    if limits.caps is not None:
        yield from _caps(limits.caps, limits)


def _quiet_time(
    endpoint: Endpoint, quiet_time: SendBatch.QuietTime, now: datetime
) -> Iterator[Finding]:
    asked = quiet_times.QuietTimes(quiet_time, now)
    reason = asked.reason(endpoint)
    if reason == Reason.MISSING_TIMEZONE:
        detail = "its time zone is neither stated nor estimated, and there is a quiet time to keep"
        yield Finding(reason, detail)
    elif reason:
        zone = asked.zone(quiet_times.zone_name(endpoint))
        hours = f"quiet from {quiet_time.start} to {quiet_time.end}"
        detail = f"it is {now.astimezone(zone):%H:%M} in {zone}, {_source(endpoint)}, and {hours}"
        until = asked.end(endpoint) if quiet_time.hold else None
        waits = f"; the message waits until {until:%Y-%m-%dT%H:%MZ}" if until else ""
        yield Finding(reason, detail + waits)


def _source(endpoint: Endpoint) -> str:
    name = quiet_times.zone_name(endpoint)
    if not name:
        return "the application's default zone"
    if name == endpoint.demographic.timezone:
        return "its stated zone"
    source = EstimatedTimeZone.Source.Name(endpoint.estimated_time_zone.source)
    return f"its zone as {source} tells it"


def _caps(caps: SendBatch.Caps, limits: Limits) -> Iterator[Finding]:
    if isinstance(limits.usage, Unanswered):
        if caps.daily_max:
            yield unknown(Reason.DAILY_CAP, limits.usage)
        if caps.total_max:
            yield unknown(Reason.CAMPAIGN_CAP, limits.usage)
        return
    for reason in limits.usage.reasons:
        if reason == Reason.DAILY_CAP:
            had = f"{limits.usage.daily_count} of at most {caps.daily_max}"
            yield Finding(reason, f"it has had {had} messages of campaigns in 24 hours")
        else:
            had = f"{limits.usage.total_count} of at most {caps.total_max}"
            yield Finding(reason, f"it has had {had} messages of this campaign")
