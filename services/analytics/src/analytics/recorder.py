"""Accepted events on their way to the bus: many requests become few messages.

While a message is on its way, whatever comes meanwhile is gathered for the next one. So a lone
request leaves at once, and a thousand at a time leave together, without a timer.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.analytics.v1.event_pb2 import Event
from heliograph.analytics.v1.events_pb2 import EventsRecorded
from mesh.errors import Unavailable
from mesh.eventing import headers
from mesh.eventing.publisher import ACK_TIMEOUT_SECONDS, Outgoing, send
from mesh.eventing.subjects import subject_of
from mesh.telemetry import logging, propagation
from nats.js import JetStreamContext

from analytics import metrics
from analytics.eventstore import wire
from analytics.room import Room

log = logging.get(__name__)

MESSAGE_BYTES_MAX = 256 * 1024
"""Well below NATS's usual limit of 1 MB, and enough for a thousand events."""

WAITING_BYTES_MAX = 64 * 1024 * 1024
ROOM_TIMEOUT_SECONDS = 5.0
PUBLISHERS_PER_APPLICATION = 2
"""One on its way while the next is gathered."""

PUBLISH_ATTEMPTS_MAX = 2

_LENGTH_DELIMITED = 2
_EVENTS_TAG = wire.varint(EventsRecorded.EVENTS_FIELD_NUMBER << 3 | _LENGTH_DELIMITED)
_OVERHEAD_BYTES = 5
RETRY_AFTER_SECONDS = 2.0


@dataclass(frozen=True)
class _Part:
    """Some events as serialised `EventsRecorded`, and who waits for them to be safe."""

    data: bytes
    safe: "asyncio.Future[None]"
    headers: Mapping[str, str]


@dataclass
class _Lane:
    """What waits for one application."""

    parts: deque[_Part] = field(default_factory=deque)
    publishers: set["asyncio.Task[None]"] = field(default_factory=set)


class Recorder:
    """`async with Recorder(js) as recorder: await recorder.record("shop", split(events))`."""

    def __init__(
        self,
        js: JetStreamContext,
        *,
        publish_attempts_max: int = PUBLISH_ATTEMPTS_MAX,
        ack_timeout_seconds: float = ACK_TIMEOUT_SECONDS,
    ) -> None:
        self._js = js
        self._ack_timeout_seconds = ack_timeout_seconds
        self._publish_attempts_max = publish_attempts_max
        self._lanes: dict[str, _Lane] = {}
        self._room = Room(WAITING_BYTES_MAX, ROOM_TIMEOUT_SECONDS)

    async def record(self, application: str, parts: Sequence[bytes]) -> None:
        """Until the stream has acknowledged all parts.

        Raises Unavailable with reason `EVENTS_NOT_STORED` when it has not: some may have been
        stored, and all may be sent again. Raises ResourceExhausted with reason
        `TOO_MANY_EVENTS_WAITING` when there is no room for them.
        """
        async with self._room.taken(sum(map(len, parts))):
            waiting = [self._add(application, data) for data in parts]
            results = await asyncio.gather(*waiting, return_exceptions=True)
        for failure in results:
            if failure is not None:
                raise failure

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        publishers = [task for lane in self._lanes.values() for task in lane.publishers]
        await asyncio.gather(*publishers, return_exceptions=True)

    def _add(self, application: str, data: bytes) -> "asyncio.Future[None]":
        lane = self._lanes.setdefault(application, _Lane())
        part = _Part(data, asyncio.get_running_loop().create_future(), propagation.inject())
        lane.parts.append(part)
        if len(lane.publishers) < PUBLISHERS_PER_APPLICATION:
            lane.publishers.add(asyncio.create_task(self._publish(application, lane)))
        return part.safe

    async def _publish(self, application: str, lane: _Lane) -> None:
        try:
            await self._publish_waiting(application, lane)
        finally:
            # Not in a callback of the task, for which what comes meanwhile would wait in vain.
            lane.publishers.discard(asyncio.current_task())  # type: ignore[arg-type]  # it is one
            if not lane.publishers and not lane.parts:
                self._lanes.pop(application, None)

    async def _publish_waiting(self, application: str, lane: _Lane) -> None:
        while lane.parts:
            group = _gathered(lane.parts)
            try:
                message = _message(application, group)
                await send(
                    self._js,
                    message,
                    attempts_max=self._publish_attempts_max,
                    ack_timeout_seconds=self._ack_timeout_seconds,
                )
            except Exception as failure:
                log.warning("events not stored", application=application, error=repr(failure))
                _settle(group, _not_stored(failure))
            else:
                metrics.GROUP_BYTES.observe(sum(len(part.data) for part in group))
                _settle(group, None)


def split(events: Iterable[Event]) -> list[bytes]:
    """Events as serialised `EventsRecorded`, none larger than a bus message may be.

    Written as the wire format has it, each event after the field's tag and its length: that copies
    no event, as filling the message would.
    """
    parts: list[list[bytes]] = [[]]
    size_bytes = 0
    for event in events:
        data = event.SerializeToString()
        size_bytes += len(data) + _OVERHEAD_BYTES
        if size_bytes > MESSAGE_BYTES_MAX and parts[-1]:
            parts.append([])
            size_bytes = len(data) + _OVERHEAD_BYTES
        parts[-1] += (_EVENTS_TAG, wire.varint(len(data)), data)
    return [b"".join(part) for part in parts]


def _gathered(parts: deque[_Part]) -> list[_Part]:
    """As many as fit in one message, and always one."""
    group = [parts.popleft()]
    size_bytes = len(group[0].data)
    while parts and size_bytes + len(parts[0].data) <= MESSAGE_BYTES_MAX:
        size_bytes += len(parts[0].data)
        group.append(parts.popleft())
    return group


def _message(application: str, group: Sequence[_Part]) -> Outgoing:
    """Serialised messages of one type, put one after the other, are one message with all fields."""
    now = datetime.now(UTC)
    receive_time = Timestamp()
    receive_time.FromDatetime(now)
    head = EventsRecorded(application=application, receive_time=receive_time)
    return Outgoing(
        subject=subject_of(EventsRecorded, application),
        data=b"".join([head.SerializeToString(), *(part.data for part in group)]),
        message_id=str(uuid.uuid4()),
        headers={headers.EVENT_TIME: now.isoformat(), **group[0].headers},
    )


def _settle(group: Iterable[_Part], failure: BaseException | None) -> None:
    for part in group:
        if part.safe.done():
            continue
        if failure is None:
            part.safe.set_result(None)
        else:
            part.safe.set_exception(failure)


def _not_stored(failure: BaseException) -> Unavailable:
    error = Unavailable(
        "EVENTS_NOT_STORED",
        "the events could not be made safe; send them again",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
    error.__cause__ = failure
    return error
