"""A bound on what waits: whoever brings more must wait too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mesh.errors import ResourceExhausted

RETRY_AFTER_SECONDS = 1.0


class Room:
    """So many bytes may wait at once; something larger than all of it waits alone."""

    def __init__(self, bytes_max: int, timeout_seconds: float) -> None:
        self._bytes_max = bytes_max
        self._timeout_seconds = timeout_seconds
        self._taken = 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, size_bytes: int) -> AsyncIterator[None]:
        """Hold room inside the block.

        Raises ResourceExhausted with reason `TOO_MANY_EVENTS_WAITING` when none becomes free.
        """
        await self._take(size_bytes)
        try:
            yield
        finally:
            self._taken -= size_bytes
            async with self._freed:
                self._freed.notify_all()

    async def _take(self, size_bytes: int) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds), self._freed:
                await self._freed.wait_for(
                    lambda: not self._taken or self._taken + size_bytes <= self._bytes_max
                )
                self._taken += size_bytes
        except TimeoutError:
            raise ResourceExhausted(
                "TOO_MANY_EVENTS_WAITING",
                "more events are waiting than there is room for",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            ) from None
