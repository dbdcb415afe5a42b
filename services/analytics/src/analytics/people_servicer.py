"""The part of EventService that erases: asked here, done by the orders of this service."""

from collections.abc import Callable
from datetime import datetime

from google.longrunning import operations_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1 import event_service_pb2 as pb
from mesh.aip import operations, request_ids
from mesh.errors.refusals import invalid
from mesh.store import orders
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from analytics import names


class Erasing:
    """Takes orders to erase events. `wake` is called when there is one."""

    _sessions: async_sessionmaker[AsyncSession]
    _now: Callable[[], datetime]
    _wake: Callable[[], None]

    async def EraseEvents(
        self, request: pb.EraseEventsRequest, context: object
    ) -> operations_pb2.Operation:
        application = names.application_of(request.parent)
        _refuse_nobody(request)

        async def answer() -> operations_pb2.Operation:
            return await self._order(session, application, request)

        async with self._sessions.begin() as session:
            operation = await request_ids.once(session, request, application, answer)
        self._wake()
        return operation

    async def _order(
        self, session: AsyncSession, application: str, request: pb.EraseEventsRequest
    ) -> operations_pb2.Operation:
        now = self._now()
        start_time = Timestamp()
        start_time.FromDatetime(now)
        progress = pb.EraseEventsMetadata(start_time=start_time)
        operation = await operations.create(session, application, progress)
        subject = pb.EraseEventsRequest(
            user_ids=request.user_ids, endpoint_ids=request.endpoint_ids
        ).SerializeToString()
        await orders.take(session, application, operations.name(operation), subject, now, now)
        return operations.render(operation)


def _refuse_nobody(request: pb.EraseEventsRequest) -> None:
    named = [*request.user_ids, *request.endpoint_ids]
    if named and all(named):
        return
    description = "name users or endpoints, none of them empty"
    raise invalid("NOBODY_NAMED", "user_ids", description)
