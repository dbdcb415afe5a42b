"""`heliograph campaigns`: who gets what, when."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from heliograph.cli import confirming, limits, output
from heliograph.cli.names import application, origination, resource
from heliograph.cli.session import talk

if TYPE_CHECKING:
    from heliograph.campaign.v1.campaign_pb2 import Campaign
    from heliograph.campaign.v1.run_pb2 import Run
    from heliograph.client import Client

app = App(
    name="campaigns",
    help="Campaigns: create, launch, watch, pause, resume, cancel, delete, show, list, runs.",
)

COLUMNS = {
    "campaign": "name",
    "state": "state",
    "segment": "segment",
    "next run": "next_run_time",
    "version": "version",
}

RUN_COLUMNS = {
    "run": "name",
    "state": "state",
    "members": "members",
    "version": "campaign_version",
    "began": "start_time",
    "ended": "end_time",
}


@app.command
def create(
    campaign: str,
    *,
    app: str,
    segment: str,
    sms: list[str] | None = None,
    email: list[str] | None = None,
    push: list[str] | None = None,
    from_: Annotated[str, Parameter(name="--from")] = "",
    holdout: int = 0,
    transactional: bool = False,
    topic: str = "",
    at: str = "",
    quiet_time: str = "",
    hold: bool = False,
    daily_max: int = 0,
    total_max: int = 0,
    duration_max: str = "",
    messages_per_second: int = 0,
    json: bool = False,
) -> None:
    """Create a campaign. Each text given makes one treatment; several share the segment equally.

    Parameters
    ----------
    campaign
        Its id.
    sms
        A text, for example 'Hello {{User.UserAttributes.FirstName.[0]}}'. May be repeated.
    email
        A mail as 'SUBJECT|TEXT'. May be repeated.
    push
        A notification as 'TITLE|TEXT'. May be repeated.
    from_
        The number or sender id that texts come from, or pool:ID; by default the channel's.
    holdout
        Percent of the segment that gets nothing.
    topic
        What it is about: endpoints that have this very text among their refused topics are skipped.
    at
        When it begins, as 2026-12-24T18:00:00Z; by default when it is launched.
    quiet_time
        When it disturbs nobody, by their own clocks: 22:00-06:00. By default the application's.
    hold
        That messages wait for the end of --quiet-time instead of being skipped.
    daily_max
        Messages to an endpoint in any 24 hours, over all campaigns. By default the application's.
    total_max
        Messages to an endpoint over all runs. By default the application's.
    duration_max
        How long a run may send, as 90m, 2h or 1d. By default the application's.
    messages_per_second
        How fast a run sends. By default the application's.
    """
    from heliograph.campaign.v1.campaign_service_pb2 import CreateCampaignRequest
    from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL

    limits.check_hold(hold, quiet_time)
    message = draft(resource(app, "segments", segment), sms or [], email or [], push or [])
    for treatment in message.treatments:
        treatment.content.origination_identity = origination(app, from_)
    message.holdout_percent, message.topic = holdout, topic
    if transactional:
        message.purpose = TRANSACTIONAL
    if at:
        message.schedule.start_time.CopyFrom(limits.moment(at, "--at"))
    if quiet_time:
        spared = message.schedule.quiet_time
        spared.start, spared.end = limits.hours(quiet_time)
        spared.policy = spared.HOLD if hold else spared.DROP
    if daily_max or total_max or messages_per_second:
        message.limits.daily, message.limits.total = daily_max, total_max
        message.limits.messages_per_second = messages_per_second
    if duration_max:
        message.limits.maximum_duration.CopyFrom(limits.duration(duration_max))
    request = CreateCampaignRequest(parent=application(app), campaign_id=campaign, campaign=message)
    output.print_message(talk(lambda mesh: mesh.campaigns.CreateCampaign(request)), as_json=json)


def draft(segment: str, sms: list[str], email: list[str], push: list[str]) -> "Campaign":
    """A campaign of one channel with a treatment for each text."""
    from heliograph.campaign.v1.campaign_pb2 import Campaign

    if sum(map(bool, (sms, email, push))) != 1:
        sys.exit("heliograph: a campaign needs texts for one channel: --sms, --email or --push")
    message = Campaign(segment=segment)
    for index, text in enumerate(sms or email or push):
        content = message.treatments.add(treatment=chr(ord("a") + index)).content
        head, _, body = text.partition("|")
        if sms:
            content.sms.body = text
        elif email:
            content.email.subject, content.email.text_body = head, body
        else:
            content.push.title, content.push.body = head, body
    return message


@app.command(name="list")
def list_(*, app: str, json: bool = False) -> None:
    """List the campaigns of an application."""
    from heliograph.campaign.v1.campaign_service_pb2 import ListCampaignsRequest
    from heliograph.paging import collect

    request = ListCampaignsRequest(parent=application(app))
    found = talk(lambda mesh: collect(mesh.campaigns.ListCampaigns, request, "campaigns"))
    output.print_messages(found, COLUMNS, as_json=json)


@app.command
def show(campaign: str, *, app: str, json: bool = False) -> None:
    """Show a campaign: who gets what, when, and within which limits."""
    _verb("GetCampaign", campaign, app, json)


@app.command
def runs(campaign: str, *, app: str, limit: int = 20, json: bool = False) -> None:
    """List a campaign's runs, newest first."""
    from heliograph.campaign.v1.run_service_pb2 import ListRunsRequest
    from heliograph.paging import collect

    request = ListRunsRequest(
        parent=resource(app, "campaigns", campaign), page_size=min(limit, 1000)
    )
    found = talk(lambda mesh: collect(mesh.runs.ListRuns, request, "runs", limit=limit))
    output.print_messages(found, RUN_COLUMNS, as_json=json)


@app.command
def delete(campaign: str, *, app: str, yes: bool = False) -> None:
    """Delete a campaign that sends no more; what became of its messages stays.

    Parameters
    ----------
    yes
        That this is meant; without it, nothing is deleted.
    """
    from heliograph.campaign.v1.campaign_service_pb2 import DeleteCampaignRequest

    confirming.require(yes, f"deletes campaign {campaign} of {app}")
    request = DeleteCampaignRequest(name=resource(app, "campaigns", campaign))
    talk(lambda mesh: mesh.campaigns.DeleteCampaign(request))


@app.command
def launch(campaign: str, *, app: str, json: bool = False) -> None:
    """Launch a campaign that is a draft."""
    _verb("LaunchCampaign", campaign, app, json)


@app.command
def pause(campaign: str, *, app: str, json: bool = False) -> None:
    """Hold a campaign; what is under way still goes out."""
    _verb("PauseCampaign", campaign, app, json)


@app.command
def resume(campaign: str, *, app: str, json: bool = False) -> None:
    """Go on with a held campaign, from exactly where it was."""
    _verb("ResumeCampaign", campaign, app, json)


@app.command
def cancel(campaign: str, *, app: str, json: bool = False) -> None:
    """End a campaign for good."""
    _verb("CancelCampaign", campaign, app, json)


def _verb(verb: str, campaign: str, app: str, json: bool) -> None:
    from heliograph.campaign.v1 import campaign_service_pb2

    request = getattr(campaign_service_pb2, f"{verb}Request")(
        name=resource(app, "campaigns", campaign)
    )
    output.print_message(talk(lambda mesh: getattr(mesh.campaigns, verb)(request)), as_json=json)


@app.command
def watch(campaign: str, *, app: str, json: bool = False) -> None:
    """Follow a campaign's latest run until it has ended, then show what became of its members."""
    name = resource(app, "campaigns", campaign)

    async def run(mesh: "Client") -> "Run":
        from heliograph.cli.progress import bar
        from heliograph.runs import latest, watch_run

        with bar(campaign, quiet=json) as advance:
            async for seen in watch_run(mesh, await latest(mesh, name)):
                finished = sum(row.count for row in seen.counts if row.state not in (1, 2))
                advance(finished, seen.members)
        return seen

    ended = talk(run)
    if json:
        output.print_json(output.as_dict(ended))
    else:
        print_run(ended)


def print_run(run: "Run") -> None:
    """What became of a run's members."""
    from heliograph.campaign.v1.run_pb2 import Run
    from heliograph.messaging.v1.message_pb2 import Message
    from heliograph.messaging.v1.reason_pb2 import Reason

    rows: list[tuple[Any, ...]] = [
        (
            row.treatment or "-",
            Message.State.Name(row.state),
            Reason.Name(row.reason) if row.reason else "",
            row.count,
        )
        for row in sorted(run.counts, key=lambda row: (row.treatment, row.state, row.reason))
    ]
    output.print_table(
        ["treatment", "state", "reason", "members"],
        [*rows, ("all", Run.State.Name(run.state), "", sum(row[3] for row in rows))],
        title=run.name,
    )
    if run.failure:
        sys.stderr.write(f"the run failed: {run.failure}\n")
