"""Publishing to JetStream: nothing counts as published before the stream has acknowledged it."""

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.message import Message
from mesh.backoff import Backoff
from mesh.errors import InvalidArgument, Unavailable
from mesh.eventing import headers, metrics
from mesh.eventing.subjects import subject_of
from mesh.telemetry import propagation
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import PubAck

ACK_TIMEOUT_SECONDS = 5.0
ATTEMPTS_MAX = 5
BACKOFF = Backoff(first_seconds=0.2, max_seconds=2.0)
IN_FLIGHT_MAX = 64


@dataclass(frozen=True)
class Outgoing:
    """A message ready to leave. Its id must be the same when it is published again."""

    subject: str
    data: bytes
    message_id: str
    headers: Mapping[str, str] = field(default_factory=dict)


def outgoing(
    message: Message,
    application: str,
    *,
    msg_id: str | None = None,
    suffix: str = "",
    subject: str | None = None,
    event_time: datetime | None = None,
) -> Outgoing:
    """Serialise a message, with its subject, id, time and the current trace context.

    `msg_id` should be derived from the content, so that whoever retries says the same; a random one
    is made when it is left out. `event_time` defaults to now.
    """
    return Outgoing(
        subject=subject or subject_of(message, application, suffix),
        data=message.SerializeToString(),
        message_id=msg_id or str(uuid.uuid4()),
        headers={headers.EVENT_TIME: _rfc3339(event_time), **propagation.inject()},
    )


async def publish(
    js: JetStreamContext,
    message: Message,
    application: str,
    *,
    msg_id: str | None = None,
    suffix: str = "",
    subject: str | None = None,
    event_time: datetime | None = None,
) -> PubAck:
    """Publish one message and wait until the stream has it; errors as in `send`."""
    return await send(
        js,
        outgoing(
            message,
            application,
            msg_id=msg_id,
            suffix=suffix,
            subject=subject,
            event_time=event_time,
        ),
    )


async def publish_many(
    js: JetStreamContext, messages: Iterable[Outgoing], *, in_flight_max: int = IN_FLIGHT_MAX
) -> list[PubAck]:
    """Publish messages with a bounded number in flight; their acknowledgements in order.

    When one fails for good, those in flight are awaited no longer and its error is raised; all may
    be published again, as they carry their ids. Their order in the stream is theirs, except that a
    retried one may come after its successors.
    """
    slots = asyncio.Semaphore(in_flight_max)
    tasks: list[asyncio.Task[PubAck]] = []

    async def run(message: Outgoing) -> PubAck:
        try:
            return await send(js, message)
        finally:
            slots.release()

    try:
        async with asyncio.TaskGroup() as group:
            for message in messages:
                await slots.acquire()
                tasks.append(group.create_task(run(message)))
    except* Exception as failures:
        raise _first(failures) from None
    return [task.result() for task in tasks]


async def send(
    js: JetStreamContext,
    message: Outgoing,
    *,
    attempts_max: int = ATTEMPTS_MAX,
    ack_timeout_seconds: float = ACK_TIMEOUT_SECONDS,
) -> PubAck:
    """Publish a prepared message, again with the same id while no acknowledgement comes in time.

    Raises InvalidArgument with reason `MESSAGE_TOO_LARGE`, and Unavailable with reason
    `STREAM_UNAVAILABLE` when the stream has not answered after `attempts_max` attempts.
    """
    all_headers = {**message.headers, headers.MESSAGE_ID: message.message_id}
    for attempt in range(1, attempts_max + 1):
        try:
            ack = await js.publish(
                message.subject, message.data, timeout=ack_timeout_seconds, headers=all_headers
            )
        except MaxPayloadError:
            raise _too_large(message) from None
        except (TimeoutError, NatsError, OSError) as error:
            metrics.PUBLISH_RETRIES.inc()
            failure = error
        else:
            metrics.PUBLISHED.labels("duplicate" if ack.duplicate else "stored").inc()
            return ack
        if attempt < attempts_max:
            await asyncio.sleep(BACKOFF.after(attempt))
    raise Unavailable(
        "STREAM_UNAVAILABLE",
        f"no stream has acknowledged {message.subject}: {failure!r}",
        subject=message.subject,
    ) from failure


def _too_large(message: Outgoing) -> InvalidArgument:
    return InvalidArgument(
        "MESSAGE_TOO_LARGE",
        f"a message of {len(message.data)} bytes is more than the server takes",
        size_bytes=str(len(message.data)),
        subject=message.subject,
    )


def _rfc3339(time: datetime | None) -> str:
    return (time or datetime.now(UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
