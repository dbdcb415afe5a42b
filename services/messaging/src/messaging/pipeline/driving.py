"""Handing a set over to its channels' drivers: each channel its own, a slice at a time.

A slice first gets places at its channel, then the frontier is moved past it, and only then does it
leave. So a worker that dies leaves no more in doubt than fits those places.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from typing import Any

from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.channels.outcomes import Later, Outcome, Refused
from messaging.connections import Connections, OpenChannel
from messaging.ledger.persistence import Pool
from messaging.ledger.rows import Row
from messaging.pipeline.reaching import Frontier
from messaging.pipeline.works import Work
from messaging.places import NoPlaceError

NO_PLACE = Later(1.0, "no place")
GONE = Later(0.0, "application deleted")
"""They are asked for once more, and the ledger gives them no more."""

PLACES_SECONDS_MAX = 30.0

URGENT_MAX = 20
"""A set this small does not wait behind large ones."""

PATIENT = frozenset({Purpose.PURPOSE_UNSPECIFIED, Purpose.PROMOTIONAL})


class Driving:
    """Brings messages, all of one batch, to their channels' drivers."""

    def __init__(self, pool: Pool, connections: Connections) -> None:
        self._pool = pool
        self._connections = connections

    async def drive(self, works: Sequence[Work]) -> list[Outcome]:
        """The outcomes, in the order of the works."""
        if not works:
            return []
        by_channel: dict[int, list[int]] = defaultdict(list)
        for position, work in enumerate(works):
            by_channel[work.row.channel_type].append(position)
        answers: list[Outcome] = [NO_PLACE] * len(works)
        row = works[0].row
        frontier = Frontier(self._pool, row.application, row.batch_id)
        slices = []
        for channel_type, positions in by_channel.items():
            open_channel = self._connections.get(row.application, channel_type)
            urgent = is_urgent(works[positions[0]].row, len(positions))
            slices += [
                self._slice(open_channel, frontier, works, chosen, answers, urgent)
                for chosen in _cut(positions, open_channel)
            ]
        await _all(slices)
        return answers

    async def _slice(
        self,
        open_channel: OpenChannel | None,
        frontier: Frontier,
        works: Sequence[Work],
        chosen: Sequence[int],
        answers: list[Outcome],
        urgent: bool,
    ) -> None:
        slice_ = [works[position] for position in chosen]
        given = await self._hand_over(open_channel, frontier, slice_, urgent)
        for position, answer in zip(chosen, given, strict=True):
            answers[position] = answer

    async def _hand_over(
        self,
        open_channel: OpenChannel | None,
        frontier: Frontier,
        works: Sequence[Work],
        urgent: bool,
    ) -> Sequence[Outcome]:
        if open_channel is None:
            return [Refused("", "", Reason.CHANNEL_NOT_CONFIGURED)] * len(works)
        taken = open_channel.places.taken(
            len(works), timeout_seconds=PLACES_SECONDS_MAX, urgent=urgent
        )
        try:
            async with taken as give_one:
                if not await frontier.reach(max(work.position for work in works) + 1):
                    return [GONE] * len(works)
                messages = [work.outgoing for work in works]
                return await open_channel.driver.hand_over(messages, give_one, urgent=urgent)
        except NoPlaceError:
            return [NO_PLACE] * len(works)


def _cut(positions: Sequence[int], open_channel: OpenChannel | None) -> list[Sequence[int]]:
    """Slices. The first takes all the places that are free, as each slice costs a statement."""
    if open_channel is None:
        return [positions]
    size = open_channel.slice_size
    first = max(size, open_channel.places.free)
    rest = range(first, len(positions), size)
    return [positions[:first], *(positions[start : start + size] for start in rest)]


def is_urgent(first: Row, count: int) -> bool:
    """Whether so many messages go before those that wait: a few, or those that somebody waits for,
    such as a code for a login. A campaign is never that, whatever its purpose. Pure."""
    return count <= URGENT_MAX or (not first.run and first.purpose not in PATIENT)


async def _all(parts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs them together and leaves none behind: what runs on could send what others send again."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
