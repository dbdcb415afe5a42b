"""The half of EventService that answers with sets of endpoints."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1 import event_service_pb2 as pb

from analytics import metrics, names
from analytics.eventstore.client import EventStore
from analytics.matching import conditions

PAGE_SIZE = 1_000
READ_SIZE = 100_000
"""Ids that are read at once: few enough to hold, so many that the events are seldom read again."""


class Matching:
    """Sets of endpoints, by what happened to them."""

    def __init__(
        self, events: EventStore, now: Callable[[], datetime], *, read_size: int = READ_SIZE
    ) -> None:
        self._events = events
        self._now = now
        self._read_size = read_size

    async def StreamMatchingEndpoints(
        self, request: pb.StreamMatchingEndpointsRequest, context: object
    ) -> AsyncIterator[pb.MatchingEndpointPage]:
        asked = self._asked(request)
        size, last = request.page_size or PAGE_SIZE, request.after
        while True:
            statement = conditions.after(asked, last, self._read_size)
            found = await self._events.column(statement.text, statement.values)
            metrics.MATCHED_ENDPOINTS.inc(len(found))
            for begin in range(0, len(found), size):
                yield pb.MatchingEndpointPage(endpoint_ids=found[begin : begin + size])
            if len(found) < self._read_size:
                return
            last = found[-1]

    async def MatchEndpoints(
        self, request: pb.MatchEndpointsRequest, context: object
    ) -> pb.MatchEndpointsResponse:
        asked = self._asked(request)
        statement = conditions.among(asked, request.endpoint_ids)
        rows = await self._events.query(statement.text, statement.values)
        metrics.MATCHED_ENDPOINTS.inc(len(rows))
        return pb.MatchEndpointsResponse(
            endpoint_ids=[row["endpoint_id"] for row in rows],
            event_counts=[row["happened"] for row in rows],
        )

    def _asked(
        self, request: pb.StreamMatchingEndpointsRequest | pb.MatchEndpointsRequest
    ) -> conditions.Asked:
        application = names.application_of(request.parent)
        conditions.check(request.condition)
        read_time = _time(request.read_time) if request.HasField("read_time") else self._now()
        return conditions.Asked(application, request.condition, read_time)


def _time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
