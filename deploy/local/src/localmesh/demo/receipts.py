"""Waiting for what comes late: receipts, answers, stored events. Bounded, and never by guessing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from heliograph.campaign.v1.run_pb2 import Run
from heliograph.campaign.v1.run_service_pb2 import GetRunRequest
from heliograph.messaging.v1.message_pb2 import Message

from localmesh.demo.world import World

POLL_SECONDS = 0.25
TIMEOUT_SECONDS = 60.0

Found = TypeVar("Found")


async def until(
    look: Callable[[], Awaitable[Found]],
    done: Callable[[Found], bool],
    timeout: float = TIMEOUT_SECONDS,
) -> Found:
    """Look until it is done or the time is over; what was last seen."""
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        found = await look()
        if done(found) or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(POLL_SECONDS)


async def all_reported(world: World, run: Run) -> Run:
    """The run once its receipts have come: no message is merely `SENT` any more.

    Mail has no receipts, so its messages stay `SENT`; then the run is returned as it is.
    """

    async def look() -> Run:
        seen: Run = await world.mesh.runs.GetRun(GetRunRequest(name=run.name))
        return seen

    def reported(seen: Run) -> bool:
        return not any(row.state == Message.SENT for row in seen.counts)

    if run.name.split("/")[3] == "letters":
        return await look()
    return await until(look, reported)
