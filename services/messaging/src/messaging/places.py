"""Places at a provider: how many messages may be on their way to it and unanswered."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

GATHERING_SECONDS: Final = 0.05
"""How long free places may wait for company: whoever takes some pays a statement each time."""


class Taken:
    """Places that somebody has. Once all are given back, giving does nothing."""

    def __init__(self, places: "Places", count: int) -> None:
        self.count = count
        self._places = places
        self._held = count

    def give_one(self) -> None:
        """Gives one back."""
        self._give(min(1, self._held))

    def give_rest(self) -> None:
        """Gives back what is left. An answer that comes later gives nothing twice."""
        self._give(self._held)

    def _give(self, count: int) -> None:
        self._held -= count
        self._places._give(count)


@dataclass(eq=False, slots=True)
class Party:
    """Somebody who wants so many places, and gets them as they come free."""

    places: "Places"
    wanted: int
    """Places that have not come free for them yet."""
    ready: int = 0
    """Places that have, and wait to be taken."""
    _called: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self) -> Taken:
        """All that have come free for them by now, at least one. Wait for no more than wanted."""
        await self._called.wait()
        self._called.clear()
        count, self.ready = self.ready, 0
        return Taken(self.places, count)

    def _seat(self, count: int) -> None:
        self.wanted -= count
        self.ready += count
        self._called.set()


class Places:
    """So many places; who asks gets what is free, the urgent first, each queue in its order.

    Nobody waits for all of what they want: places of messages that nobody answers hold up no
    others. What has no place yet is certainly still here, so a dead process leaves no more messages
    of which nobody knows than there were places.
    """

    def __init__(
        self, count: int, together: int = 1, gathering_seconds: float = GATHERING_SECONDS
    ) -> None:
        """Fewer than `together` are given out only to who wants no more, or when no others have
        come free in time."""
        self._count = count
        self._free = count
        self._together = min(together, count)
        self._gathering_seconds = gathering_seconds
        self._gathering: asyncio.TimerHandle | None = None
        self._urgent: deque[Party] = deque()
        self._patient: deque[Party] = deque()
        self._passed_over = 0

    @contextmanager
    def wanted(self, count: int, *, urgent: bool = False) -> Iterator[Party]:
        """Queues for so many places, from now on; they may be more than there are.

        On leaving it wants no more, and what was ready is given back; what was taken is not.
        Raises ValueError for none.
        """
        if count < 1:
            raise ValueError(f"{count} places")
        party = Party(self, count)
        queue = self._urgent if urgent else self._patient
        queue.append(party)
        self._seat()
        try:
            yield party
        finally:
            if party.wanted:
                queue.remove(party)
            left, party.wanted, party.ready = party.ready, 0, 0
            self._give(left)

    def _give(self, count: int) -> None:
        self._free += count
        self._seat()

    def _seat(self, gathered: bool = False) -> None:
        """Gives out what is free, turn by turn."""
        while self._free and (queue := self._next()):
            party = queue[0]
            if not gathered and self._free < self._enough(party):
                self._gather()
                return
            count = min(self._free, party.wanted)
            if queue is self._patient and self._urgent:
                count = min(count, self._together)
            self._free -= count
            self._count_passed_over(queue, count)
            party._seat(count)
            if not party.wanted:
                queue.popleft()
        self._gather_no_more()

    def _enough(self, party: Party) -> int:
        """How many must be free. Who has not taken what is ready yet takes more along."""
        return 1 if party.ready else min(self._together, party.wanted)

    def _next(self) -> deque[Party]:
        """Whose turn it is: of the patient, once the urgent have had a whole window before them."""
        if self._patient and self._passed_over >= self._count:
            return self._patient
        return self._urgent or self._patient

    def _count_passed_over(self, queue: deque[Party], count: int) -> None:
        is_passed_over = queue is self._urgent and self._patient
        self._passed_over = self._passed_over + count if is_passed_over else 0

    def _gather(self) -> None:
        if self._gathering is None:
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(self._gathering_seconds, self._gathered)

    def _gather_no_more(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def _gathered(self) -> None:
        self._gathering = None
        self._seat(gathered=True)
