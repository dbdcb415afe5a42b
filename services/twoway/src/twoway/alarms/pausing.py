"""The loop that has campaigns paused: promised with the alarm, asked for until campaign answers.

A campaign that is paused, has ended or is gone needs no pause. A question whose answer was lost is
asked again by the same request id, so that a campaign which it paused, and which somebody has
resumed meanwhile, goes on.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from heliograph.campaign.v1 import campaign_service_pb2
from mesh import worker
from mesh.errors import Error, FailedPrecondition, NotFound
from mesh.telemetry import logging
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.alarms import store
from twoway.alarms.deciding import DONE
from twoway.alarms.tables import OptOutAlarmStateRow

if TYPE_CHECKING:
    from heliograph.campaign.v1.campaign_service_pb2_grpc import CampaignServiceAsyncStub

log = logging.get(__name__)

PAUSES_AT_ONCE: Final = 20
TIMEOUT_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 10.0
"""After which another replica asks for one that has died, or again who had no answer."""

POLL_SECONDS: Final = 1.0


class Pausing:
    """Has campaigns paused."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        campaigns: "CampaignServiceAsyncStub",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._sessions = sessions
        self._campaigns = campaigns
        self._now = now

    async def step(self) -> int:
        """Ask for pauses that are due; how many campaign has answered."""
        now = self._now()
        async with self._sessions.begin() as session:
            until = now + timedelta(seconds=AGAIN_SECONDS)
            due = await store.claim_pauses(session, now, until, PAUSES_AT_ONCE)
        return sum([await self._pause(row) for row in due])

    async def _pause(self, row: OptOutAlarmStateRow) -> bool:
        """Ask once; false when campaign is to be asked again."""
        campaign = names.campaign(row.application, row.campaign)
        request = campaign_service_pb2.PauseCampaignRequest(
            name=campaign, request_id=_request_id(row)
        )
        try:
            await self._campaigns.PauseCampaign(request, timeout=TIMEOUT_SECONDS)
            log.info("alarms.campaign_paused", campaign=campaign, alarm=row.opt_out_alarm)
        except (FailedPrecondition, NotFound) as error:
            log.info("alarms.nothing_to_pause", campaign=campaign, reason=error.reason)
        except Error as error:
            log.warning("alarms.not_paused", campaign=campaign, error=repr(error))
            return False
        await self._note(row)
        return True

    async def _note(self, row: OptOutAlarmStateRow) -> None:
        """Campaign has answered, unless the alarm has gone off again since it was asked."""
        key = (row.application, row.opt_out_alarm, row.campaign)
        async with self._sessions.begin() as session:
            now = await session.get(OptOutAlarmStateRow, key, with_for_update=True)
            if now is not None and now.trigger_time == row.trigger_time:
                now.pause = DONE


def _request_id(row: OptOutAlarmStateRow) -> str:
    """The same each time for what set the alarm off this time, and for nothing else."""
    moment = row.trigger_time.isoformat() if row.trigger_time else ""
    what = "|".join((row.application, row.opt_out_alarm, row.campaign, moment))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, what))


async def run(
    sessions: async_sessionmaker[AsyncSession], campaigns: "CampaignServiceAsyncStub"
) -> None:
    """Ask until cancelled."""
    await worker.run("pauses", Pausing(sessions, campaigns).step, poll_seconds=POLL_SECONDS)
