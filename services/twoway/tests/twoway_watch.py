"""Alarms on opt-outs as tests look at them: by hand, at a time that is set."""

from datetime import datetime, timedelta
from typing import Any

from heliograph.messaging.v1.message_service_pb2 import FindAnsweredMessagesResponse
from heliograph.twoway.v1 import opt_out_alarm_pb2
from heliograph.twoway.v1 import opt_out_alarm_service_pb2 as pb
from heliograph.twoway.v1.events_pb2 import OptOutAlarmTriggered
from twoway.alarms.counting import Counting
from twoway.alarms.pausing import Pausing
from twoway.alarms.watching import Watching
from twoway_neighbours import CampaignServicer, ReportServicer
from twoway_room import NOON, SHOP, Room, announced, sms

ALARM = f"{SHOP}/optOutAlarms/annoyed"
State = opt_out_alarm_pb2.OptOutAlarm


class Watch:
    """The loops of alarms, a clock that is set, and the neighbours."""

    def __init__(self, room: Room, asking: Any) -> None:
        self.reports, self.campaigns = ReportServicer(), CampaignServicer()
        self.room = room
        self.time = NOON
        self.alarms: Any = None
        self.stubs: tuple[Any, Any] = None, None
        self._asking = asking

    def loops(self) -> tuple[Watching, Pausing]:
        """Those of one replica."""
        reports, campaigns = self.stubs
        counting = Counting(self._asking, reports)
        return (
            Watching(self.room.sessions, counting, self.now),
            Pausing(self.room.sessions, campaigns, self.now),
        )

    def now(self) -> datetime:
        """What it is set to."""
        return self.time

    async def look(self, minutes: float = 1) -> None:
        """Later, each loop does what there is to do."""
        self.time += timedelta(minutes=minutes)
        watching, pausing = self.loops()
        await watching.step()
        await pausing.step()

    def delivered(self, campaign: str, count: int) -> None:
        """Messages arrive now."""
        self.reports.delivered.setdefault(campaign, []).extend([self.time.timestamp()] * count)

    async def stop(self, campaign: str, *people: int) -> None:
        """People answer a campaign with STOP now."""
        seconds = (self.time - NOON).total_seconds()
        texts = []
        for person in people:
            number = f"+1206555{person:04}"
            self.room.messaging.answered[number] = FindAnsweredMessagesResponse.AnsweredMessage(
                message=f"{SHOP}/messages/m{person}", run=f"{campaign}/runs/r1"
            )
            texts.append(sms("STOP", number, at_seconds=seconds))
        await self.room.receive(*texts)

    async def make(self, alarm_id: str = "annoyed", **fields: Any) -> State:
        """An alarm of two percent of a hundred messages within an hour, unless it says so."""
        settings = {"rate_max": 0.02, **fields}
        made: State = await self.alarms.CreateOptOutAlarm(
            pb.CreateOptOutAlarmRequest(
                parent=SHOP, opt_out_alarm_id=alarm_id, opt_out_alarm=State(**settings)
            )
        )
        return made

    async def read(self) -> State:
        """The alarm as it stands."""
        found: State = await self.alarms.GetOptOutAlarm(pb.GetOptOutAlarmRequest(name=ALARM))
        return found

    async def told(self) -> list[tuple[str, int, int]]:
        """What went off so far."""
        return [
            (event.campaign, event.opted_out_count, event.delivered_count)
            for event in await announced(self.room, OptOutAlarmTriggered)
        ]
