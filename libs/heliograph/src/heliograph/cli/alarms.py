"""`heliograph alarms`: who drives people away, and is paused for it."""

import sys
from typing import Any

from cyclopts import App
from heliograph.cli import output, resources
from heliograph.cli.names import application, optional, resource
from heliograph.cli.resources import Noun
from heliograph.cli.settings import Switch, changes, fill

app = App(name="alarms", help="Alarms on opt-out rates: create, list, show, update, delete.")

ALARM = Noun(
    message="OptOutAlarm",
    field="opt_out_alarm",
    collection="optOutAlarms",
    service="opt_out_alarms",
    columns={
        "alarm": "name",
        "state": "state",
        "campaign": "campaign",
        "rate max": "rate_max",
        "window": "window",
        "delivered min": "delivered_min",
        "pauses": "pause_campaign",
        "went off": "trigger_time",
    },
)
resources.add_list(app, ALARM)
resources.add_end(
    *(app, ALARM, "delete"),
    "deletes alarm {identity} of {app}; what it paused stays paused",
    "Delete an alarm; a campaign that it paused stays so.",
)


@app.command
def create(
    alarm: str,
    *,
    app: str,
    rate_max: str,
    campaign: str | None = None,
    window: str | None = None,
    delivered_min: int | None = None,
    pause: Switch | None = None,
    json: bool = False,
) -> None:
    """Create an alarm. It watches each campaign by itself unless one is named.

    Parameters
    ----------
    alarm
        Its id.
    rate_max
        Share of delivered messages answered with an opt-out that it bears: 2% or 0.02.
    campaign
        The one campaign that it watches.
    window
        What it looks at: the last 90m, 2h or 1d. By default an hour.
    delivered_min
        Delivered messages below which it stays quiet. By default 100.
    pause
        Whether the campaign is paused when it goes off; by default it is only announced.
    """
    made = ALARM.new()
    fill(made, _given(app, campaign, rate_max, window, delivered_min, pause))
    show_one(resources.create(ALARM, application(app), alarm, made), as_json=json)


@app.command
def update(
    alarm: str,
    *,
    app: str,
    rate_max: str | None = None,
    campaign: str | None = None,
    window: str | None = None,
    delivered_min: int | None = None,
    pause: Switch | None = None,
    json: bool = False,
) -> None:
    """Change an alarm; options as of create.

    Parameters
    ----------
    campaign
        The one campaign that it watches; '' for each by itself. A new one begins anew.
    """
    name = resource(app, "optOutAlarms", alarm)
    changed = ALARM.new(name=name)
    paths = changes(changed, _given(app, campaign, rate_max, window, delivered_min, pause))
    show_one(resources.update(ALARM, changed, paths), as_json=json)


@app.command
def show(alarm: str, *, app: str, json: bool = False) -> None:
    """Show an alarm, and where it stands with each campaign that people opted out of."""
    name = resource(app, "optOutAlarms", alarm)
    show_one(ALARM.call("GetOptOutAlarm", name=name), as_json=json)


def show_one(alarm: Any, *, as_json: bool) -> None:
    """An alarm, with a table of its campaigns below its settings."""
    if as_json:
        output.print_message(alarm, as_json=True)
        return
    states = list(alarm.campaign_states)
    del alarm.campaign_states[:]
    output.print_message(alarm, as_json=False)
    if states:
        output.print_messages(states, STATE_COLUMNS, as_json=False)


STATE_COLUMNS = {
    "campaign": "campaign",
    "state": "state",
    "since": "state_time",
    "opted out": "opted_out_count",
    "delivered": "delivered_count",
    "rate": "rate",
    "went off": "trigger_time",
    "pause": "pause",
    "counted": "count_time",
}


def share(text: str) -> float:
    """`2%` or `0.02`; a sentence if it is none."""
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        sys.exit(f"heliograph: expected --rate-max as 2% or 0.02; {text!r} is none")


def _given(
    app: str,
    campaign: str | None,
    rate_max: str | None,
    window: str | None,
    delivered_min: int | None,
    pause: Switch | None,
) -> dict[str, Any]:
    return {
        "campaign": optional(app, "campaigns", campaign),
        "rate_max": None if rate_max is None else share(rate_max),
        "window": window,
        "delivered_min": delivered_min,
        "pause_campaign": pause,
    }
