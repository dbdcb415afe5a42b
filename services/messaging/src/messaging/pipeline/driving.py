"""Handing a set over to its channels' drivers: each channel its own, a slice at a time.

A slice first gets places at its channel, then the frontier is moved past it, and only then does it
leave. So a worker that dies leaves no more in doubt than fits those places.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.channels.outcomes import Later, Outcome, Refused
from messaging.connections import Connections, OpenChannel
from messaging.ledger.persistence import Pool
from messaging.ledger.rows import Row
from messaging.pipeline.reaching import Frontier
from messaging.pipeline.works import Work
from messaging.places import Taken
from messaging.purposes import PROMOTIONS

NO_PLACE = Later(1.0, "no place")
GONE = Later(0.0, "application deleted")
"""They are asked for once more, and the ledger gives them no more."""

NOT_CONFIGURED = Refused("", "", Reason.CHANNEL_NOT_CONFIGURED)

PLACES_SECONDS_MAX = 30.0

URGENT_MAX = 20
"""A set this small does not wait behind large ones."""


@dataclass(frozen=True, slots=True)
class _Share:
    """What goes over one channel, of a set that has its answers in the order of its works."""

    open_channel: OpenChannel
    frontier: Frontier
    works: Sequence[Work]
    answers: list[Outcome]
    urgent: bool
    places_seconds_max: float


class Driving:
    """Brings messages, all of one batch, to their channels' drivers."""

    def __init__(
        self,
        pool: Pool,
        connections: Connections,
        places_seconds_max: float = PLACES_SECONDS_MAX,
    ) -> None:
        """What has no place after `places_seconds_max` is for later."""
        self._pool = pool
        self._connections = connections
        self._places_seconds_max = places_seconds_max

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
        async with _together() as tasks:
            for channel_type, positions in by_channel.items():
                open_channel = self._connections.get(row.application, channel_type)
                if open_channel is None:
                    _answer(answers, positions, [NOT_CONFIGURED] * len(positions))
                    continue
                urgent = is_urgent(works[positions[0]].row, len(positions))
                share = _Share(
                    open_channel, frontier, works, answers, urgent, self._places_seconds_max
                )
                tasks.create_task(_hand_over(share, positions, tasks))
        return answers


async def _hand_over(share: _Share, positions: Sequence[int], tasks: asyncio.TaskGroup) -> None:
    """Slice after slice, each as large as places have come free for it by then."""
    places = share.open_channel.places
    with suppress(TimeoutError), places.wanted(len(positions), urgent=share.urgent) as party:
        async with asyncio.timeout(share.places_seconds_max):
            while positions:
                taken = await party.take()
                chosen, positions = positions[: taken.count], positions[taken.count :]
                leaving = tasks.create_task(_leave(share, chosen, taken))
                _give_back_after(leaving, taken)


def _give_back_after(leaving: asyncio.Task[None], taken: Taken) -> None:
    """A task that is cancelled before it begins could not do it itself."""
    leaving.add_done_callback(lambda _: taken.give_rest())


async def _leave(share: _Share, chosen: Sequence[int], taken: Taken) -> None:
    works = [share.works[position] for position in chosen]
    if not await share.frontier.reach(max(work.position for work in works) + 1):
        _answer(share.answers, chosen, [GONE] * len(works))
        return
    messages, now = [work.outgoing for work in works], datetime.now(UTC)
    for work in works:
        work.leave_time = now
    driver = share.open_channel.driver
    given = await driver.hand_over(messages, taken.give_one, urgent=share.urgent)
    _answer(share.answers, chosen, given)


def _answer(answers: list[Outcome], chosen: Sequence[int], given: Sequence[Outcome]) -> None:
    for position, answer in zip(chosen, given, strict=True):
        answers[position] = answer


def is_urgent(first: Row, count: int) -> bool:
    """Whether so many messages go before those that wait: a few, or those that somebody waits for,
    such as a code for a login. A campaign is never that, whatever its purpose. Pure."""
    return count <= URGENT_MAX or (not first.run and first.purpose not in PROMOTIONS)


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks of which none is left behind: what runs on could send what others send again.

    Raises what the first of them that failed has raised.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
