"""google.longrunning.Operations over the operations table, for any service to mix in."""

import asyncio
import time
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2
from mesh.aip import operations, pagination, resource_names
from mesh.aip.operations import OperationRow
from mesh.errors import FailedPrecondition
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

_WAIT_MAX_SECONDS = 300.0
_POLL_FIRST_SECONDS = 0.05
_POLL_MAX_SECONDS = 1.0


class OperationsServicer:
    """Get, list, cancel and wait for the operations of an application.

    Cancelling records a wish; the worker sees it at its next `operations.update` and ends the
    work itself. A service whose work cannot be stopped passes `cancellable=False`.
    """

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], *, cancellable: bool = True
    ) -> None:
        self._sessions = sessions
        self._cancellable = cancellable

    async def ListOperations(
        self, request: operations_pb2.ListOperationsRequest, context: Any
    ) -> operations_pb2.ListOperationsResponse:
        application = resource_names.parse("applications/{application}", request.name)
        page = pagination.Page(request, default_size=50, max_size=1000)
        query = select(OperationRow).filter_by(**application).order_by(col(OperationRow.id))
        if page.after is not None:
            query = query.where(col(OperationRow.id) > page.after[0])
        async with self._sessions() as session:
            rows = (await session.exec(query.limit(page.limit))).all()
        rows, token = page.cut(rows, key=lambda row: [row.id])
        return operations_pb2.ListOperationsResponse(
            operations=[operations.render(row) for row in rows], next_page_token=token
        )

    async def GetOperation(
        self, request: operations_pb2.GetOperationRequest, context: Any
    ) -> operations_pb2.Operation:
        async with self._sessions() as session:
            return operations.render(await operations.get(session, request.name))

    async def CancelOperation(
        self, request: operations_pb2.CancelOperationRequest, context: Any
    ) -> empty_pb2.Empty:
        async with self._sessions.begin() as session:
            row = await operations.get(session, request.name, lock=True)
            if not self._cancellable:
                message = f"{request.name} cannot be cancelled"
                raise FailedPrecondition(
                    "OPERATION_NOT_CANCELLABLE", message, operation=request.name
                )
            row.cancel_requested = True
        return empty_pb2.Empty()

    async def WaitOperation(
        self, request: operations_pb2.WaitOperationRequest, context: Any
    ) -> operations_pb2.Operation:
        """The operation once it is done, or as it is when the time is over."""
        asked = request.timeout.ToTimedelta().total_seconds()
        until = time.monotonic() + min(asked or _WAIT_MAX_SECONDS, _WAIT_MAX_SECONDS)
        pause = _POLL_FIRST_SECONDS
        while True:
            operation = await self.GetOperation(
                operations_pb2.GetOperationRequest(name=request.name), context
            )
            left = until - time.monotonic()
            if operation.done or left <= 0:
                return operation
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, _POLL_MAX_SECONDS)
