"""What a campaign's author writes: checked as a whole, before it is stored.

Rules of a single field stand in the protos; these are the ones between fields, and the refusal of
what this release would otherwise ignore.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo, available_timezones

from heliograph import quiet_times
from heliograph.campaign.v1.campaign_pb2 import Campaign, Treatment
from heliograph.campaign.v1.schedule_pb2 import QuietTime, Schedule
from heliograph.messaging.v1.content_pb2 import MessageContent
from mesh.errors import InvalidArgument, Unimplemented, Violation

from campaign.schedule import Frequency

OUTPUT_FIELDS = (
    "name",
    "state",
    "next_run_time",
    "latest_run",
    "version",
    "create_time",
    "update_time",
    "etag",
)
"""What the service adds; the rest is the author's."""

NOT_SUPPORTED = (
    "limits.session",
    "hook",
    "priority",
    "schedule.local_time",
    "schedule.event_filter",
)
"""Fields of the contract that this release does not act on; set, they are refused."""

FREQUENCIES = {
    Schedule.FREQUENCY_UNSPECIFIED: Frequency.ONCE,
    Schedule.ONCE: Frequency.ONCE,
    Schedule.HOURLY: Frequency.HOURLY,
    Schedule.DAILY: Frequency.DAILY,
    Schedule.WEEKLY: Frequency.WEEKLY,
    Schedule.MONTHLY: Frequency.MONTHLY,
}


def definition(campaign: Campaign) -> Campaign:
    """The author's part of a campaign, checked."""
    written = Campaign()
    written.CopyFrom(campaign)
    for field, _ in campaign.ListFields():
        if field.name in OUTPUT_FIELDS:
            written.ClearField(field.name)  # type: ignore[arg-type]  # a name it has
    check(written, campaign.name.partition("/campaigns/")[0])
    return written


def check(written: Campaign, parent: str) -> None:
    """Refuse a definition that contradicts itself, or that asks for what is not built."""
    _refuse_unsupported(written)
    violations = [
        *_segment(written, parent),
        *_treatments(written.treatments),
        *_schedule(written.schedule),
    ]
    if violations:
        first = violations[0]
        raise InvalidArgument(
            first.reason, f"{first.field}: {first.description}", violations=violations
        )


def percents(written: Campaign) -> list[int]:
    """The treatments' shares, in order."""
    return [treatment.percent for treatment in written.treatments]


def _refuse_unsupported(written: Campaign) -> None:
    asked = [path for path in NOT_SUPPORTED if _is_set(written, path)]
    if written.schedule.frequency not in FREQUENCIES:
        asked.append("schedule.frequency")
    if written.schedule.overlap_policy not in (
        Schedule.OVERLAP_POLICY_UNSPECIFIED,
        Schedule.SKIP,
    ):
        asked.append("schedule.overlap_policy")
    asked += [
        f"treatments[{index}].schedule"
        for index, treatment in enumerate(written.treatments)
        if treatment.HasField("schedule")
    ]
    if asked:
        fields = [f"campaign.{path}" for path in asked]
        raise Unimplemented(
            "FIELD_NOT_SUPPORTED",
            f"this release does not act on {', '.join(fields)}",
            violations=[
                Violation(field, "this release does not act on it", "FIELD_NOT_SUPPORTED")
                for field in fields
            ],
            fields=",".join(fields),
        )


def _is_set(written: Campaign, path: str) -> bool:
    *parents, leaf = path.split(".")
    message = written
    for parent in parents:
        message = getattr(message, parent)
    return any(field.name == leaf for field, _ in message.ListFields())


def _segment(written: Campaign, parent: str) -> Iterator[Violation]:
    if parent and not written.segment.startswith(f"{parent}/segments/"):
        yield Violation("campaign.segment", f"expected a segment of {parent}", "FOREIGN_RESOURCE")


def _treatments(treatments: Iterable[Treatment]) -> Iterator[Violation]:
    treatments = list(treatments)
    shares = [treatment.percent for treatment in treatments]
    if any(shares) and (sum(shares) != 100 or not all(shares)):
        yield Violation(
            "campaign.treatments",
            f"the percents {shares} must all be 0, or all be above 0 and add up to 100",
            "TREATMENT_PERCENTS",
        )
    for name, count in Counter(item.treatment for item in treatments).items():
        if count > 1:
            yield Violation(
                "campaign.treatments", f"{name!r} stands {count} times", "TREATMENT_DUPLICATE"
            )
    for index, treatment in enumerate(treatments):
        if not says_something(treatment.content):
            yield Violation(
                f"campaign.treatments[{index}].content",
                "expected a message for at least one channel, or a template",
                "CONTENT_MISSING",
            )


def says_something(content: MessageContent) -> bool:
    """Whether a content has a message for any channel."""
    parts = {"sms", "email", "push", "voice", "in_app", "custom"}
    return bool(content.templates) or not parts.isdisjoint(set_fields(content))


def set_fields(content: MessageContent) -> set[str]:
    """Names of the fields that a content has."""
    return {field.name for field, _ in content.ListFields()}


def _schedule(schedule: Schedule) -> Iterator[Violation]:
    if schedule.timezone and schedule.timezone not in available_timezones():
        yield Violation(
            "campaign.schedule.timezone",
            f"{schedule.timezone!r} is not in the tz database",
            "TIMEZONE_UNKNOWN",
        )
    quiet_time = schedule.quiet_time
    holds = quiet_time.policy == QuietTime.HOLD
    if holds and quiet_times.is_endless(quiet_time.start, quiet_time.end):
        yield Violation(
            "campaign.schedule.quiet_time",
            "all day is quiet, and who waits would wait for ever",
            "QUIET_TIME_ENDLESS",
        )
    ends_before = (
        schedule.HasField("start_time")
        and schedule.HasField("end_time")
        and schedule.end_time.ToNanoseconds() < schedule.start_time.ToNanoseconds()
    )
    if ends_before:
        yield Violation(
            "campaign.schedule.end_time",
            "expected a time after start_time",
            "SCHEDULE_CONTRADICTORY",
        )


def zone(schedule: Schedule) -> ZoneInfo:
    """The zone in which a schedule counts days."""
    return ZoneInfo(schedule.timezone or "UTC")
