"""Row to message."""

from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration
from heliograph.twoway.v1 import opt_out_alarm_pb2 as pb
from mesh.aip import etags

from twoway import clock, names
from twoway.alarms.deciding import ALARM
from twoway.alarms.tables import OptOutAlarmRow, OptOutAlarmStateRow

State = pb.OptOutAlarm.CampaignState


def alarm(row: OptOutAlarmRow, states: Sequence[OptOutAlarmStateRow]) -> pb.OptOutAlarm:
    """An alarm as clients read it."""
    message = pb.OptOutAlarm(
        name=names.opt_out_alarm(row.application, row.opt_out_alarm),
        campaign=names.campaign(row.application, row.campaign) if row.campaign else "",
        rate_max=row.rate_max,
        window=Duration(seconds=row.window_seconds),
        delivered_min=row.delivered_min,
        pause_campaign=row.pause_campaign,
        etag=etags.render(row.revision),
        state=_worst(states),
        campaign_states=map(_state, states),
        create_time=clock.stamp(row.create_time),
        update_time=clock.stamp(row.update_time),
    )
    if triggered := [one.trigger_time for one in states if one.trigger_time]:
        message.trigger_time.CopyFrom(clock.stamp(max(triggered)))
    return message


def _worst(states: Sequence[OptOutAlarmStateRow]) -> "pb.OptOutAlarm.State.ValueType":
    in_alarm = any(one.state == ALARM for one in states)
    return pb.OptOutAlarm.ALARM if in_alarm else pb.OptOutAlarm.OK


def _state(row: OptOutAlarmStateRow) -> State:
    message = State(
        campaign=names.campaign(row.application, row.campaign),
        state=pb.OptOutAlarm.State.Value(row.state),
        state_time=clock.stamp(row.state_time),
        opted_out_count=row.opted_out_count,
        delivered_count=row.delivered_count,
        count_time=clock.stamp(row.count_time),
        pause=State.Pause.Value(row.pause or "PAUSE_UNSPECIFIED"),
    )
    if row.delivered_count:
        message.rate = row.opted_out_count / row.delivered_count
    if row.trigger_time:
        message.trigger_time.CopyFrom(clock.stamp(row.trigger_time))
    return message
