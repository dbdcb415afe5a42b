"""The loop that looks at alarms that are due: counts, decides, tells.

Any number of replicas may run it. Who takes an alarm puts its next look off first, so that one dies
at the cost of one look; and an older count never overwrites a younger one.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from heliograph.twoway.v1 import events_pb2
from mesh import worker
from mesh.eventing import outbox
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, metrics, names
from twoway.alarms import deciding, store
from twoway.alarms.counting import Counting, Finding
from twoway.alarms.deciding import Verdict
from twoway.alarms.tables import OptOutAlarmRow, OptOutAlarmStateRow

ALARMS_AT_ONCE: Final = 200
LOOK_SECONDS: Final = 10.0
"""How often an alarm is looked at."""

POLL_SECONDS: Final = 2.0


class Watching:
    """Looks at alarms."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        counting: Counting,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._sessions = sessions
        self._counting = counting
        self._now = now

    async def step(self) -> int:
        """Look at the alarms that are due; how many they were."""
        now = self._now()
        async with self._sessions.begin() as session:
            until = now + timedelta(seconds=LOOK_SECONDS)
            due = await store.claim_due(session, now, until, ALARMS_AT_ONCE)
        if due:
            of_application: dict[str, list[Finding]] = defaultdict(list)
            for finding in await self._counting.count(due, now):
                of_application[finding.alarm.application].append(finding)
            for application, findings in of_application.items():
                await self._take(application, findings, now)
        return len(due)

    async def _take(self, application: str, findings: Sequence[Finding], now: datetime) -> None:
        """What was found, in one transaction with what is told of it."""
        async with self._sessions.begin() as session:
            alarms = await _alarms(session, application, findings)
            states = await _states(session, application, list(alarms))
            for finding in findings:
                alarm = alarms.get(finding.alarm.opt_out_alarm)
                if alarm is None or alarm.revision != finding.alarm.revision:
                    continue  # it is gone, or another one by now
                key = (alarm.opt_out_alarm, finding.campaign)
                state = states.get(key) or _first(alarm, finding.campaign, now)
                if key in states and state.count_time >= now:
                    continue
                found = deciding.take(alarm, state, finding.counts, now)
                session.add(state)
                _tell(session, alarm, state, found, now)


async def run(sessions: async_sessionmaker[AsyncSession], counting: Counting) -> None:
    """Look until cancelled."""
    await worker.run("alarms", Watching(sessions, counting).step, poll_seconds=POLL_SECONDS)


async def _alarms(
    session: AsyncSession, application: str, findings: Sequence[Finding]
) -> dict[str, OptOutAlarmRow]:
    """The alarms as they are now; nobody changes one until the transaction ends."""
    row = OptOutAlarmRow
    ids = {finding.alarm.opt_out_alarm for finding in findings}
    query = select(row).where(row.application == application, col(row.opt_out_alarm).in_(ids))
    rows = await session.exec(query.order_by(col(row.opt_out_alarm)).with_for_update())
    return {one.opt_out_alarm: one for one in rows.all()}


async def _states(
    session: AsyncSession, application: str, ids: Sequence[str]
) -> dict[tuple[str, str], OptOutAlarmStateRow]:
    row = OptOutAlarmStateRow
    query = select(row).where(row.application == application, col(row.opt_out_alarm).in_(ids))
    rows = await session.exec(query.with_for_update())
    return {(one.opt_out_alarm, one.campaign): one for one in rows.all()}


def _first(alarm: OptOutAlarmRow, campaign: str, now: datetime) -> OptOutAlarmStateRow:
    return OptOutAlarmStateRow(
        application=alarm.application,
        opt_out_alarm=alarm.opt_out_alarm,
        campaign=campaign,
        count_time=now,
        state_time=now,
        pause_time=now,
    )


def _tell(
    session: AsyncSession,
    alarm: OptOutAlarmRow,
    state: OptOutAlarmStateRow,
    found: Verdict,
    now: datetime,
) -> None:
    if found is Verdict.STAY:
        return
    metrics.OPT_OUT_ALARMS.labels(found.value).inc()
    application = alarm.application
    name = names.opt_out_alarm(application, alarm.opt_out_alarm)
    campaign = names.campaign(application, state.campaign)
    if found is Verdict.CLEAR:
        cleared = events_pb2.OptOutAlarmCleared(
            application=application,
            opt_out_alarm=name,
            campaign=campaign,
            clear_time=clock.stamp(now),
        )
        outbox.publish(session, cleared, application)
        return
    triggered = events_pb2.OptOutAlarmTriggered(
        application=application,
        opt_out_alarm=name,
        campaign=campaign,
        opted_out_count=state.opted_out_count,
        delivered_count=state.delivered_count,
        rate_max=alarm.rate_max,
        pause_campaign=alarm.pause_campaign,
        trigger_time=clock.stamp(now),
    )
    outbox.publish(session, triggered, application)
