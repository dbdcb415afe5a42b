"""How long a worker stays with one batch before it lets others have their turn."""

import asyncio

from mesh.eventing.consumer import Later

TURN_SECONDS = 120.0
"""Well below the consumer's timeout, which would interrupt a hand-over in its middle."""


class Patience:
    """One worker's time with one batch; also ends when the service stops."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._deadline = asyncio.get_running_loop().time() + TURN_SECONDS

    def check(self) -> None:
        """Raises Later when it is time to stop. Call it only while nothing is `HANDING`."""
        if self._stopping.is_set() or asyncio.get_running_loop().time() > self._deadline:
            raise Later(0.0, "the turn is over")
