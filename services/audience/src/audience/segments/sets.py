"""Sets of endpoints from analytics: for some endpoints, or all in the order of their ids.

No answer means UNAVAILABLE, reason `BEHAVIOUR_UNAVAILABLE`: an endpoint is never taken for one that
nothing happened to because nobody could be asked.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import grpc
from heliograph.analytics.v1 import event_service_pb2 as pb
from heliograph.analytics.v1.event_filter_pb2 import EventCondition
from heliograph.analytics.v1.event_service_pb2_grpc import EventServiceStub
from mesh.errors import Error, Unavailable

from audience.moments import timestamp
from audience.segments.behaviours import Conditions, Sets

PAGE_SIZE: Final = 5_000
RETRY_AFTER_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 60.0
"""How long an answer, or the next page of one, is waited for."""


class KeyOrdered:
    """A set that arrives by key, of which one page is held."""

    def __init__(self, call: Any, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._call = call
        self._timeout_seconds = timeout_seconds
        self._ids: Sequence[str] = ()
        self._position = 0

    async def among(self, endpoints: Sequence[str]) -> list[str]:
        """Those of the endpoints that are in the set; each call asks for greater ones.

        Raises Unavailable with reason `BEHAVIOUR_UNAVAILABLE`.
        """
        wanted, last, found = set(endpoints), endpoints[-1], []
        while await self._has_more():
            end = bisect_right(self._ids, last, lo=self._position)
            found += [one for one in self._ids[self._position : end] if one in wanted]
            self._position = end
            if end < len(self._ids):
                break
        return found

    async def few(self, most: int) -> list[str] | None:
        """All of a set that was not begun; None when it has more.

        Raises Unavailable with reason `BEHAVIOUR_UNAVAILABLE`.
        """
        found: list[str] = []
        while await self._has_more():
            found += self._ids
            self._position = len(self._ids)
            if len(found) > most:
                return None
        return found

    async def _has_more(self) -> bool:
        while self._position == len(self._ids) and self._call is not None:
            with _as_unavailable():
                async with asyncio.timeout(self._timeout_seconds):
                    page = await self._call.read()
            if page is grpc.aio.EOF:
                self._call = None
            else:
                self._ids, self._position = list(page.endpoint_ids), 0
        return self._position < len(self._ids)

    def close(self) -> None:
        """Read no further."""
        if self._call is not None:
            self._call.cancel()


class Analytics:
    """What audience asks of analytics."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._events: Any = EventServiceStub(channel)

    def all(
        self, application: str, condition: EventCondition, after: str, read_time: datetime
    ) -> KeyOrdered:
        """The endpoints greater than `after` that meet a condition; to be closed."""
        request = pb.StreamMatchingEndpointsRequest(
            parent=f"applications/{application}",
            condition=condition,
            page_size=PAGE_SIZE,
            after=after,
            read_time=timestamp(read_time),
        )
        return KeyOrdered(self._events.StreamMatchingEndpoints(request))

    async def among(
        self, application: str, conditions: Conditions, endpoints: Sequence[str], now: datetime
    ) -> Sets:
        """Those of up to 1,000 endpoints that meet each condition.

        Raises Unavailable with reason `BEHAVIOUR_UNAVAILABLE`.
        """
        found = {}
        for key, part in conditions.items():
            answer = await self._match(application, part.condition, endpoints, now)
            found[key] = list(answer.endpoint_ids)
        return found

    async def counts(
        self, application: str, condition: EventCondition, endpoints: Sequence[str], now: datetime
    ) -> list[tuple[str, int]]:
        """Those of up to 10,000 endpoints that meet a condition, and how often each did it.

        Raises Unavailable with reason `BEHAVIOUR_UNAVAILABLE`.
        """
        answer = await self._match(application, condition, endpoints, now)
        if len(answer.event_counts) != len(answer.endpoint_ids):
            raise Unavailable("BEHAVIOUR_UNAVAILABLE", "analytics is of a release before this one")
        return list(zip(answer.endpoint_ids, answer.event_counts, strict=True))

    async def _match(
        self, application: str, condition: EventCondition, endpoints: Sequence[str], now: datetime
    ) -> pb.MatchEndpointsResponse:
        request = pb.MatchEndpointsRequest(
            parent=f"applications/{application}",
            condition=condition,
            endpoint_ids=endpoints,
            read_time=timestamp(now),
        )
        with _as_unavailable():
            answer: pb.MatchEndpointsResponse = await self._events.MatchEndpoints(request)
        return answer


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (Error, TimeoutError) as failure:
        raise Unavailable(
            "BEHAVIOUR_UNAVAILABLE",
            "analytics does not say what endpoints did",
            retry_after_seconds=RETRY_AFTER_SECONDS,
            cause=failure.reason if isinstance(failure, Error) else "TIMEOUT",
        ) from failure
