"""Handing a set over one by one, several at a time, within the pace and a deadline."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence

from mesh.pace import Pace

from messaging.channels.channel import Answered
from messaging.channels.outcomes import Later, Outcome
from messaging.channels.outgoing import Outgoing

SET_SECONDS_MAX = 60.0
"""How long a set may take; what has not been begun by then is for later."""

NOT_BEGUN = Later(1.0, "not connected")

One = Callable[[Outgoing], Awaitable[Outcome]]


class Sets:
    """For providers that take one message a request; `width` requests at the same time."""

    def __init__(self, rate_per_second: float, width: int) -> None:
        self._pace = Pace(rate_per_second or math.inf)
        self._width = width

    async def hand_over(
        self,
        messages: Sequence[Outgoing],
        one: One,
        is_ready: Callable[[], bool],
        answered: Answered,
    ) -> list[Outcome]:
        """The outcomes in order. Nothing more is begun once the provider is not ready."""
        outcomes: list[Outcome] = [NOT_BEGUN] * len(messages)
        turns = enumerate(messages)
        deadline_seconds = asyncio.get_running_loop().time() + SET_SECONDS_MAX

        async def work(turns: Iterator[tuple[int, Outgoing]]) -> None:
            for index, message in turns:
                if not is_ready() or not await self._may_begin(deadline_seconds):
                    return
                outcomes[index] = await one(message)
                answered()

        await asyncio.gather(*(work(turns) for _ in range(min(self._width, len(messages)))))
        return outcomes

    async def _may_begin(self, deadline_seconds: float) -> bool:
        """Reserves a place in the pace and waits for it, unless it lies beyond the deadline."""
        now = asyncio.get_running_loop().time()
        wait_seconds = self._pace.wait_seconds(now)
        if now + wait_seconds > deadline_seconds:
            return False
        self._pace.spend(1)
        if wait_seconds:
            await asyncio.sleep(wait_seconds)
        return True
