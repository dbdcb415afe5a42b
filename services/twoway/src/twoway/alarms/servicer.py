"""OptOutAlarmService: alarms as resources."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from google.protobuf.empty_pb2 import Empty
from heliograph.twoway.v1 import opt_out_alarm_pb2
from heliograph.twoway.v1 import opt_out_alarm_service_pb2 as pb
from mesh.aip import etags, field_masks, pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.alarms import alarms, render, store
from twoway.alarms.tables import OptOutAlarmRow

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 1_000


class OptOutAlarmServicer:
    """The alarms of applications."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._sessions = sessions
        self._now = now

    async def GetOptOutAlarm(
        self, request: pb.GetOptOutAlarmRequest, context: Any
    ) -> opt_out_alarm_pb2.OptOutAlarm:
        async with self._sessions() as session:
            return await _rendered(session, await store.get(session, request.name))

    async def ListOptOutAlarms(
        self, request: pb.ListOptOutAlarmsRequest, context: Any
    ) -> pb.ListOptOutAlarmsResponse:
        application = names.application_of(request.parent)
        page = pagination.Page(request, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = str(page.after[0]) if page.after else ""
        async with self._sessions() as session:
            rows = await store.page(session, application, after, page.limit)
            states = await store.states(session, [_key(row) for row in rows])
        rows, token = page.cut(rows, key=lambda row: [row.opt_out_alarm])
        return pb.ListOptOutAlarmsResponse(
            opt_out_alarms=[render.alarm(row, states[_key(row)]) for row in rows],
            next_page_token=token,
        )

    async def CreateOptOutAlarm(
        self, request: pb.CreateOptOutAlarmRequest, context: Any
    ) -> opt_out_alarm_pb2.OptOutAlarm:
        application, now = names.application_of(request.parent), self._now()
        row = OptOutAlarmRow(
            application=application,
            opt_out_alarm=request.opt_out_alarm_id,
            check_time=now,
            create_time=now,
            update_time=now,
        )
        alarms.change(row, request.opt_out_alarm)

        async def create() -> opt_out_alarm_pb2.OptOutAlarm:
            await store.add(session, row)
            return render.alarm(row, ())

        async with self._sessions.begin() as session:
            return await request_ids.once(session, request, application, create)

    async def UpdateOptOutAlarm(
        self, request: pb.UpdateOptOutAlarmRequest, context: Any
    ) -> opt_out_alarm_pb2.OptOutAlarm:
        wanted = request.opt_out_alarm
        async with self._sessions.begin() as session:
            row = await store.get(session, wanted.name, lock=True)
            etags.check(row.revision, wanted.etag)
            target = render.alarm(row, ())
            if field_masks.apply(request.update_mask, wanted, target):
                alarms.change(row, target)
                row.revision += 1
                row.update_time = row.check_time = self._now()
                if row.campaign:
                    await store.forget(session, row, row.campaign)
            return await _rendered(session, row)

    async def DeleteOptOutAlarm(self, request: pb.DeleteOptOutAlarmRequest, context: Any) -> Empty:
        async with self._sessions.begin() as session:
            row = await store.get(session, request.name, lock=True)
            etags.check(row.revision, request.etag)
            await store.forget(session, row)
            await session.delete(row)
        return Empty()


async def _rendered(session: AsyncSession, row: OptOutAlarmRow) -> opt_out_alarm_pb2.OptOutAlarm:
    return render.alarm(row, (await store.states(session, [_key(row)]))[_key(row)])


def _key(row: OptOutAlarmRow) -> store.Key:
    return row.application, row.opt_out_alarm
