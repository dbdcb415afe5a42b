"""Long work as it comes along: a service that dies meanwhile is waited for, as its work goes on."""

import asyncio
from typing import TYPE_CHECKING

from google.longrunning.operations_pb2 import GetOperationRequest, Operation
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.client import Client

BREAKS_MAX = 20
BREAK_SECONDS = 0.5


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
