"""Words on a stream, a handler that remembers them, and what the server says of both."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from google.protobuf.wrappers_pb2 import StringValue
from mesh.backoff import Backoff
from mesh.eventing import dead_letters, publisher
from mesh.eventing.consumer import Consumer, Delivery
from mesh.eventing.publisher import outgoing
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

SUBJECT = "google.protobuf.StringValue.*"
SOON = Backoff(first_seconds=0.05, max_seconds=0.2)


async def publish(js: JetStreamContext, *words: str) -> None:
    await publisher.publish_many(
        js, [outgoing(StringValue(value=word), "shop", msg_id=word) for word in words]
    )


class Heard:
    """A handler that remembers; `fails` raises for a word while it has exceptions for it."""

    def __init__(self, fails: dict[str, Iterator[Exception]] | None = None) -> None:
        self.tries: Counter[str] = Counter()
        self.done: list[str] = []
        self.batches: list[int] = []
        self._fails = fails or {}

    async def each(self, delivery: Delivery) -> None:
        word = delivery.parse(StringValue).value
        self.tries[word] += 1
        failure = next(self._fails.get(word, iter(())), None)
        if failure is not None:
            raise failure
        self.done.append(word)

    async def batch(self, deliveries: list[Delivery]) -> None:
        words = [delivery.parse(StringValue).value for delivery in deliveries]
        self.tries.update(words)
        self.batches.append(len(words))
        for word in words:
            failure = next(self._fails.get(word, iter(())), None)
            if failure is not None:
                raise failure
        self.done += words


def hearer(
    js: JetStreamContext,
    handler: Callable[[Delivery], Awaitable[None]],
    *,
    backoff: Backoff = SOON,
    ack_wait_seconds: float = 60.0,
) -> Consumer:
    return Consumer(
        js,
        "WORDS",
        "hearer",
        SUBJECT,
        handler,
        ack_wait_seconds=ack_wait_seconds,
        max_deliver=3,
        backoff=backoff,
    )


def all_done(heard: Heard, count: int) -> Callable[[], bool]:
    return lambda: len(heard.done) >= count


async def settled(js: JetStreamContext, durable: str = "hearer") -> bool:
    info = await js.consumer_info("WORDS", durable)
    return info.num_pending == 0 and info.num_ack_pending == 0


async def dead(js: JetStreamContext) -> list[tuple[str, bytes, dict[str, str]]]:
    last = (await js.stream_info(dead_letters.STREAM)).state.last_seq
    stored = [await js.get_msg(dead_letters.STREAM, seq) for seq in range(1, last + 1)]
    return [(m.subject or "", m.data or b"", dict(m.headers or {})) for m in stored]


async def buried(js: JetStreamContext, count: int) -> bool:
    try:
        return len(await dead(js)) == count
    except NotFoundError:
        return False
