"""Taking events: check each, remember new names, make the good ones safe, name the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.event_service_pb2 import EventRefusal
from mesh.errors import Error
from mesh.rpc import status

from analytics import limits, metrics, registry
from analytics.recorder import MESSAGE_BYTES_MAX, Recorder, split
from analytics.registry import Known, Name, Registry

DOMAIN = "heliograph.analytics.v1"


@dataclass
class Taken:
    """What became of some events."""

    accepted_count: int = 0
    refusals: list[EventRefusal] = field(default_factory=list)


class Intake:
    """The one way in for events of clients."""

    def __init__(self, names: Registry, recorder: Recorder, clock: Callable[[], float]) -> None:
        self._registry = names
        self._recorder = recorder
        self._clock = clock

    async def take(
        self, application: str, events: Sequence[Event], size_bytes: int, first_index: int = 0
    ) -> Taken:
        """Make all events safe but the refused ones. `size_bytes` is that of the request.

        Raises Unavailable and ResourceExhausted as `Recorder.record`; then all may be sent again.
        """
        limits.refuse_large(size_bytes)
        known = await self._registry.known(application)
        refused = self._check(events, large=size_bytes > MESSAGE_BYTES_MAX)
        refused |= await self._check_names(application, known, events, refused)
        accepted = (
            [event for index, event in enumerate(events) if index not in refused]
            if refused
            else events
        )
        if accepted:
            await self._recorder.record(application, split(accepted))
        metrics.EVENTS.labels("accepted").inc(len(accepted))
        metrics.EVENTS.labels("refused").inc(len(refused))
        return Taken(
            len(accepted),
            [
                _refusal(first_index + index, events[index], error)
                for index, error in sorted(refused.items())
            ],
        )

    def _check(self, events: Sequence[Event], *, large: bool) -> dict[int, Error]:
        now_seconds = self._clock()
        refused: dict[int, Error] = {}
        for index, event in enumerate(events):
            error = limits.refusal(event, now_seconds)
            if error is None and large:
                error = limits.size_refusal(event)
            if error is not None:
                refused[index] = error
        return refused

    async def _check_names(
        self, application: str, known: Known, events: Sequence[Event], refused: dict[int, Error]
    ) -> dict[int, Error]:
        new: dict[int, list[Name]] = {}
        for index, event in enumerate(events):
            missing = known.missing(event)
            if missing and index not in refused:
                new[index] = missing
        if not new:
            return {}
        every = {name for missing in new.values() for name in missing}
        over = await self._registry.register(application, every)
        return {
            index: registry.refusal(next(name for name in missing if name in over))
            for index, missing in new.items()
            if not over.isdisjoint(missing)
        }


def _refusal(index: int, event: Event, error: Error) -> EventRefusal:
    return EventRefusal(
        index=index,
        event_id=event.event_id,
        endpoint_id=event.endpoint_id,
        error=status.from_error(error, DOMAIN),
    )
