"""Handing a set over to its channels' drivers, each its own, all at the same time."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.channels.outcomes import Later, Outcome, Refused
from messaging.connections import Connections
from messaging.pipeline.works import Work

UNANSWERED = Later(1.0)


async def drive(connections: Connections, works: Sequence[Work]) -> list[Outcome]:
    """The outcomes, in the order of the works."""
    by_channel: dict[int, list[int]] = defaultdict(list)
    for index, work in enumerate(works):
        by_channel[work.row.channel_type].append(index)
    answers: list[Outcome] = [UNANSWERED] * len(works)

    async def one(channel_type: int, indices: list[int]) -> None:
        chosen = [works[index] for index in indices]
        given = await _drive_one(connections, channel_type, chosen)
        for index, answer in zip(indices, given, strict=True):
            answers[index] = answer

    await asyncio.gather(*(one(*item) for item in by_channel.items()))
    return answers


async def _drive_one(
    connections: Connections, channel_type: int, works: Sequence[Work]
) -> Sequence[Outcome]:
    open_channel = connections.get(works[0].row.application, channel_type)
    if open_channel is None:
        return [Refused("", "", Reason.CHANNEL_NOT_CONFIGURED)] * len(works)
    return await open_channel.driver.hand_over([work.outgoing for work in works])
