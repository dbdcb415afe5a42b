"""What an alarm may be: its settings, checked."""

from typing import Final

from heliograph.twoway.v1 import opt_out_alarm_pb2 as pb
from mesh.aip import resource_names
from mesh.errors.refusals import invalid

from twoway import names
from twoway.alarms.tables import OptOutAlarmRow

WINDOW_SECONDS: Final = 3_600
DELIVERED_MIN: Final = 100


def change(row: OptOutAlarmRow, wanted: pb.OptOutAlarm) -> None:
    """Make the row what the resource says; refuses a rate of 0 (ALARM_RATE_INVALID) and a campaign
    of another application."""
    if not wanted.rate_max > 0:
        raise invalid("ALARM_RATE_INVALID", "rate_max", "must be greater than 0, such as 0.02")
    row.campaign = _campaign(row.application, wanted.campaign)
    row.rate_max = wanted.rate_max
    row.window_seconds = wanted.window.seconds or WINDOW_SECONDS
    row.delivered_min = wanted.delivered_min or DELIVERED_MIN
    row.pause_campaign = wanted.pause_campaign


def _campaign(application: str, name: str) -> str:
    if not name:
        return ""
    names.same_application(application, name, "campaign")
    return resource_names.parse(names.CAMPAIGN, name, field="campaign")["campaign"]
