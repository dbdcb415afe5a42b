"""Runs with a number of messages per second: handed over in small parts, each in its time.

They take long and do little, so they have workers of their own, of which there are many.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.audience.v1.segment_service_pb2 import MemberPage
from mesh import worker
from mesh.telemetry import logging
from mesh.waking import Waiting

log = logging.get(__name__)

PARTS_PER_SECOND = 4


class Pace:
    """When the next part of a run may leave; 0 messages per second: at once."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._free_at = 0.0

    def parts(self, page: MemberPage) -> Iterator[tuple[Sequence[Endpoint], str]]:
        """The page in parts, each with the key of its last member."""
        size = max(1, self._per_second // PARTS_PER_SECOND) if self._per_second else 0
        if not size or len(page.endpoints) <= size:
            yield page.endpoints, page.last
            return
        for start in range(0, len(page.endpoints), size):
            part = page.endpoints[start : start + size]
            is_last = start + size >= len(page.endpoints)
            yield part, page.last if is_last else part[-1].name.rpartition("/")[2]

    async def turn(self, count: int) -> None:
        """Wait until so many may leave. What was late before is not made up for by haste."""
        if not self._per_second:
            return
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._free_at - now))
        self._free_at = max(now, self._free_at) + count / self._per_second


Sending = Callable[[], Awaitable[None]]


async def several(
    take: Callable[[], Awaitable[Sending | None]],
    runs_max: int,
    idle_seconds: float,
    woken: Waiting | None = None,
) -> None:
    """Send what there is to take, up to `runs_max` at the same time, until cancelled."""
    room = asyncio.Semaphore(runs_max)

    async def send(sending: Sending) -> None:
        try:
            await sending()
        except Exception:
            # What it has begun stands in the database; whoever takes it next goes on with it.
            log.exception("paced run interrupted")
        finally:
            room.release()

    async def begin() -> bool:
        await room.acquire()
        sending = None
        try:
            sending = await take()
        finally:
            if sending is None:
                room.release()
        if sending is not None:
            tasks.create_task(send(sending))
        return sending is not None

    async with asyncio.TaskGroup() as tasks:
        await worker.run("paced fan-out", begin, poll_seconds=idle_seconds, woken=woken)
