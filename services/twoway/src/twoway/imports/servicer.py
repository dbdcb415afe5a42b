"""The part of OptOutService that takes in lists from other platforms."""

from typing import Any

from google.longrunning import operations_pb2
from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.aip import operations, pagination, request_ids
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from twoway import names
from twoway.consent import store
from twoway.imports import jobs, reading, refusals
from twoway.places import Places
from twoway.wakeups import Wakeups

REFUSALS_DEFAULT, REFUSALS_MAX = 100, 1_000


class Importing:
    """Takes orders to import."""

    _sessions: async_sessionmaker[AsyncSession]
    _wakeups: Wakeups
    _places: Places

    async def ImportOptedOutNumbers(
        self, request: pb.ImportOptedOutNumbersRequest, context: Any
    ) -> operations_pb2.Operation:
        application = names.opt_out_list_key(request.parent, "parent")[0]
        file = await self._places.source(application, request.uri) if request.uri else None
        if file is None:
            # Refuses at once what is no such file at all.
            next(reading.read(request.content), None)

        async def answer() -> operations_pb2.Operation:
            await store.get_list(session, request.parent)
            return operations.render(await jobs.create(session, request, file))

        async with self._sessions.begin() as session:
            operation = await request_ids.once(session, request, application, answer)
        self._wakeups.lists.wake()
        return operation

    async def ListImportRefusals(
        self, request: pb.ListImportRefusalsRequest, context: Any
    ) -> pb.ListImportRefusalsResponse:
        page = pagination.Page(request, REFUSALS_DEFAULT, REFUSALS_MAX)
        after = int(page.after[0] or 0) if page.after else 0
        async with self._sessions() as session:
            operation = await operations.get(session, request.parent)
            key = (operation.application, operation.id)
            found = await refusals.page(session, key, after, page.limit)
        found, token = page.cut(found, key=lambda one: [one.line])
        return pb.ListImportRefusalsResponse(refusals=found, next_page_token=token)
