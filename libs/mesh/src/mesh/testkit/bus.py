"""What a stream holds when a test asks, without waiting to see whether more comes."""

from typing import TypeVar

from google.protobuf.message import Message
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

READ_TIMEOUT_SECONDS = 10.0

Kind = TypeVar("Kind", bound=Message)


async def published(
    js: JetStreamContext, stream: str, subject: str, kind: type[Kind]
) -> list[Kind]:
    """The messages of a stream on a subject, which may hold wildcards, in their order."""
    try:
        last = (await js.get_last_msg(stream, subject)).seq
    except NotFoundError:
        return []
    subscription = await js.subscribe(subject, stream=stream, ordered_consumer=True)
    found, reached = [], 0
    try:
        while reached < (last or 0):
            message = await subscription.next_msg(timeout=READ_TIMEOUT_SECONDS)
            reached = message.metadata.sequence.stream
            found.append(kind.FromString(message.data))
    finally:
        await subscription.unsubscribe()
    return found


async def last_published(
    js: JetStreamContext, stream: str, subject: str, kind: type[Kind]
) -> Kind | None:
    """The last message of a stream on a subject, which may hold wildcards; None without one."""
    try:
        found = await js.get_last_msg(stream, subject)
    except NotFoundError:
        return None
    return kind.FromString(found.data or b"")
