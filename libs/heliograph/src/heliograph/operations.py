"""Long work as it comes along: a service that dies meanwhile is waited for, as its work goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeVar

from google.longrunning.operations_pb2 import GetOperationRequest, Operation
from google.protobuf.message import Message
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.client import Client

POLL_SECONDS = 0.2
BREAKS_MAX = 20
BREAK_SECONDS = 0.5


Job = TypeVar("Job", bound=Message)


async def follow(mesh: "Client", operation: Operation, kind: type[Job]) -> AsyncIterator[Job]:
    """The job that is metadata and response of an operation, as it comes along, until it has
    ended. Raises HeliographError when it failed."""
    while True:
        job = kind()
        operation.metadata.Unpack(job)
        if operation.done:
            operation.response.Unpack(job)
            yield job
            await mesh.finished(operation)
            return
        yield job
        await asyncio.sleep(POLL_SECONDS)
        operation = await current(mesh, operation.name)


async def current(mesh: "Client", name: str) -> Operation:
    """The operation as it is now; asked again while nobody answers, for ten seconds or more."""
    breaks = 0
    while True:
        try:
            return await mesh.operations.GetOperation(GetOperationRequest(name=name))  # type: ignore[no-any-return]  # grpc.aio
        except HeliographError as error:
            breaks += 1
            if error.code != "UNAVAILABLE" or breaks > BREAKS_MAX:
                raise
            await asyncio.sleep(BREAK_SECONDS)
