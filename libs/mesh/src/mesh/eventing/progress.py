"""Whether consumers have dealt with what was on their streams at a moment."""

from collections.abc import Sequence
from typing import TypeAlias

from mesh.errors import Unavailable
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

Follower: TypeAlias = tuple[str, str]
"""A stream, and the name of a durable consumer of it."""


class Progress:
    """Remembers where streams ended when they were first asked about, by key."""

    def __init__(self, js: JetStreamContext, followers: Sequence[Follower]) -> None:
        self._js = js
        self._followers = followers
        self._ends: dict[str, dict[str, int]] = {}

    async def reached(self, key: str) -> None:
        """Raises Unavailable (STREAM_NOT_READ) while something of then has not been dealt with."""
        if key not in self._ends:
            self._ends[key] = {
                stream: (await self._js.stream_info(stream)).state.last_seq
                for stream, _ in self._followers
            }
        for stream, durable in self._followers:
            if not await self._has_reached(stream, durable, self._ends[key][stream]):
                raise Unavailable("STREAM_NOT_READ", f"{durable} has not read {stream} yet")

    def forget(self, key: str) -> None:
        """The key is not asked about again."""
        self._ends.pop(key, None)

    async def _has_reached(self, stream: str, durable: str, end: int) -> bool:
        try:
            info = await self._js.consumer_info(stream, durable)
        except NotFoundError:
            return end == 0
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        return floor >= end or not (info.num_pending or info.num_ack_pending)
