"""The verbs: what a campaign and a run may do, and what is announced when they do it. No I/O."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.campaign.v1 import events_pb2
from heliograph.campaign.v1.campaign_pb2 import Campaign
from mesh.errors import FailedPrecondition

from campaign import definitions, names
from campaign.schedule import Rule, next_time
from campaign.tables import CampaignRow, RunRow

EDITABLE = {"DRAFT", "SCHEDULED", "PAUSED"}
ENDED = {"COMPLETED", "CANCELLED"}
RUN_ENDED = {"COMPLETED", "CANCELLED", "FAILED"}
CATCH_UP_WINDOW = timedelta(hours=1)


def launch(row: CampaignRow, now: datetime) -> events_pb2.CampaignLaunched:
    """Start a draft's schedule."""
    _require(row, "launched", {"DRAFT"})
    row.launch_time = now
    row.next_run_time = first_time(written(row), now)
    _move(row, "SCHEDULED", now)
    return events_pb2.CampaignLaunched(
        campaign=names.campaign_name(row),
        version=row.version,
        next_run_time=timestamp(row.next_run_time),
    )


def pause(row: CampaignRow, now: datetime) -> events_pb2.CampaignPaused:
    """Hold a campaign where it is."""
    _require(row, "paused", {"SCHEDULED", "RUNNING"})
    _move(row, "PAUSED", now)
    return events_pb2.CampaignPaused(campaign=names.campaign_name(row))


def resume(row: CampaignRow, run: RunRow | None, now: datetime) -> events_pb2.CampaignResumed:
    """Go on: with the run that was held, else with the schedule."""
    _require(row, "resumed", {"PAUSED"})
    held = run is not None and run.state not in RUN_ENDED
    if not held and row.next_run_time is None:
        _move(row, "COMPLETED", now)
    else:
        _move(row, "RUNNING" if held else "SCHEDULED", now)
    return events_pb2.CampaignResumed(campaign=names.campaign_name(row))


def cancel(row: CampaignRow, now: datetime) -> events_pb2.CampaignCancelled:
    """End a campaign for good."""
    _require(row, "cancelled", {"DRAFT", "SCHEDULED", "RUNNING", "PAUSED"})
    row.next_run_time = None
    _move(row, "CANCELLED", now)
    return events_pb2.CampaignCancelled(campaign=names.campaign_name(row))


def edit(row: CampaignRow, changed: Campaign, now: datetime) -> None:
    """Replace the author's part; a launched campaign's next run follows its new schedule."""
    _require(row, "changed", EDITABLE)
    row.definition = changed.SerializeToString(deterministic=True)
    row.daily_max = changed.limits.daily
    row.version += 1
    if row.state == "SCHEDULED":
        row.next_run_time = first_time(changed, now)
    _move(row, row.state, now)


def check_deletable(row: CampaignRow) -> None:
    """Refuse to delete what is sending."""
    _require(row, "deleted", EDITABLE | ENDED)


def begin_run(row: CampaignRow, now: datetime) -> tuple[RunRow, events_pb2.RunStarted]:
    """The run that is due, and the campaign's next time; the campaign is `RUNNING` after."""
    due = row.next_run_time
    if due is None:
        raise FailedPrecondition("CAMPAIGN_WRONG_STATE", "no run is due", state=row.state)
    run = RunRow(
        application=row.application,
        campaign=row.campaign,
        run=run_id(due),
        campaign_version=row.version,
        schedule_time=due,
        start_time=now,
        lease_time=now,
    )
    row.latest_run = run.run
    row.next_run_time = next_time(_rule(row, due), max(now, due))
    _move(row, "RUNNING", now)
    return run, events_pb2.RunStarted(
        run=names.run_name(run),
        schedule_time=timestamp(due),
        start_time=timestamp(now),
        segment=written(row).segment,
    )


def skip_run(row: CampaignRow, now: datetime) -> bool:
    """Whether the due run is past its catch-up window; then the campaign moves on without it."""
    schedule = written(row).schedule
    window = (
        schedule.catch_up_window.ToTimedelta()
        if schedule.HasField("catch_up_window")
        else CATCH_UP_WINDOW
    )
    due = row.next_run_time
    if due is None or now - due <= window:
        return False
    row.next_run_time = next_time(_rule(row, due), now)
    if row.next_run_time is None:
        _move(row, "COMPLETED", now)
    return True


def end_run(run: RunRow, state: str, now: datetime) -> events_pb2.RunFinished:
    """Close a run in a final state."""
    run.state = state
    run.end_time = now
    run.cursor = ""  # it is somebody's endpoint, and the run goes on no more
    run.worker = ""
    return events_pb2.RunFinished(
        run=names.run_name(run), state=state, members=run.members, end_time=timestamp(now)
    )


def after_run(row: CampaignRow, now: datetime) -> events_pb2.CampaignCompleted | None:
    """Let a campaign go on once its run has ended: to its next time, or to its end."""
    if row.state != "RUNNING":
        return None
    if row.next_run_time is not None:
        _move(row, "SCHEDULED", now)
        return None
    _move(row, "COMPLETED", now)
    return events_pb2.CampaignCompleted(campaign=names.campaign_name(row))


RUN_TRANSITIONS = {
    "paused": ({"FANNING_OUT"}, "PAUSED"),
    "resumed": ({"PAUSED"}, "FANNING_OUT"),
    "cancelled": ({"FANNING_OUT", "SENDING", "PAUSED"}, "CANCELLED"),
}
"""Which verb takes a run from where to where."""


def move_run(run: RunRow, verb: str) -> None:
    """Take a run where a verb leads; refuse from any other state."""
    allowed, state = RUN_TRANSITIONS[verb]
    if run.state not in allowed:
        raise FailedPrecondition(
            "RUN_WRONG_STATE", f"a {run.state} run cannot be {verb}", state=run.state, verb=verb
        )
    run.state = state
    run.worker = ""


def first_time(campaign: Campaign, now: datetime) -> datetime:
    """When the first run is due: the start time, or now when it is absent or past."""
    schedule = rule(campaign, now)
    if schedule.end_time is not None and schedule.end_time < now:
        raise FailedPrecondition(
            "SCHEDULE_CONTRADICTORY",
            f"the schedule ended at {schedule.end_time.isoformat()}",
            end_time=schedule.end_time.isoformat(),
        )
    return next_time(schedule, now - timedelta(microseconds=1)) or now


def _rule(row: CampaignRow, due: datetime) -> Rule:
    return rule(written(row), row.launch_time or due)


def rule(campaign: Campaign, default_start: datetime) -> Rule:
    """A campaign's schedule as arithmetic."""
    schedule = campaign.schedule
    start = default_start
    if schedule.HasField("start_time"):
        start = schedule.start_time.ToDatetime(tzinfo=UTC)
    end = schedule.end_time.ToDatetime(tzinfo=UTC) if schedule.HasField("end_time") else None
    frequency = definitions.FREQUENCIES[schedule.frequency]
    return Rule(start, frequency, definitions.zone(schedule), end)


def written(row: CampaignRow) -> Campaign:
    """The author's part of a stored campaign."""
    return Campaign.FromString(row.definition)


def run_id(due: datetime) -> str:
    """A run's id: the time it was due, so that the same run is never begun twice."""
    return due.astimezone(UTC).strftime("%Y%m%dt%H%M%S%fz")


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A protobuf timestamp, or None."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _require(row: CampaignRow, verb: str, states: set[str]) -> None:
    if row.state not in states:
        raise FailedPrecondition(
            "CAMPAIGN_WRONG_STATE",
            f"a {row.state} campaign cannot be {verb}, only one that is {_either(states)}",
            state=row.state,
            verb=verb,
            states=_either(states),
        )


def _either(states: set[str]) -> str:
    return " or ".join(sorted(states))


def _move(row: CampaignRow, state: str, now: datetime) -> None:
    row.state = state
    row.revision += 1
    row.update_time = now
