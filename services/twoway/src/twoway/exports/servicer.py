"""The part of OptOutService that takes lists out."""

from collections.abc import AsyncIterator
from typing import Any

from google.longrunning import operations_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.aip import operations, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import clock, names
from twoway.consent import render, store
from twoway.exports import jobs, reading
from twoway.places import Places
from twoway.tables import OptedOutNumber
from twoway.wakeups import Wakeups

STREAM_PAGE_NUMBERS = 1_000


class Exporting:
    """Takes orders to export, and streams."""

    _sessions: async_sessionmaker[AsyncSession]
    _wakeups: Wakeups
    _pool: Any
    _places: Places

    async def ExportOptedOutNumbers(
        self, request: pb.ExportOptedOutNumbersRequest, context: Any
    ) -> operations_pb2.Operation:
        key = names.opt_out_list_key(request.parent, "parent")

        async def answer() -> operations_pb2.Operation:
            await store.get_list(session, request.parent)
            path = await self._places.target(key[0], request.uri)
            total = await reading.count(self._pool, *key)
            operation = await jobs.create(session, request, path, total, clock.now())
            return operations.render(operation)

        async with self._sessions.begin() as session:
            operation = await request_ids.once(session, request, key[0], answer)
        self._wakeups.lists.wake()
        return operation

    async def StreamOptedOutNumbers(
        self, request: pb.StreamOptedOutNumbersRequest, context: Any
    ) -> AsyncIterator[pb.StreamOptedOutNumbersResponse]:
        key = names.opt_out_list_key(request.parent, "parent")
        async with self._sessions.begin() as session:
            await store.get_list(session, request.parent)
        last = request.after
        while rows := await reading.page(self._pool, *key, last, STREAM_PAGE_NUMBERS):
            last = rows[-1]["phone_number"]
            numbers = [render.opted_out_number(OptedOutNumber(**row)) for row in rows]
            yield pb.StreamOptedOutNumbersResponse(opted_out_numbers=numbers, last=last)
