"""A consumer against a real JetStream: each message once, in bounds, shared between processes."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from consumer_words import SOON, SUBJECT, Heard, all_done, hearer, publish, settled
from google.protobuf.wrappers_pb2 import StringValue
from mesh.eventing import jetstream, publisher
from mesh.eventing.consumer import LINGER_SECONDS, Consumer, Delivery
from mesh.telemetry import propagation
from mesh.testkit import eventually
from nats.js import JetStreamContext
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags


async def test_each_message_is_handled_once_and_acknowledged(js: JetStreamContext) -> None:
    heard = Heard()
    words = [str(n) for n in range(100)]

    async with hearer(js, heard.each):
        await publish(js, *words)
        await eventually(all_done(heard, 100))
        await eventually(lambda: settled(js))

    assert sorted(heard.done, key=int) == words


async def test_a_handler_works_in_the_trace_of_the_publisher(js: JetStreamContext) -> None:
    seen: list[tuple[str, str, datetime]] = []

    async def handler(delivery: Delivery) -> None:
        seen.append((propagation.trace_id(), delivery.event_id, delivery.event_time))

    happened = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    context = SpanContext(0xABC, 2, is_remote=True, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        await publisher.publish(
            js, StringValue(value="x"), "shop", msg_id="one", event_time=happened
        )
    async with hearer(js, handler):
        await eventually(lambda: seen)

    assert seen == [(f"{0xABC:032x}", "one", happened)]


async def test_a_single_message_does_not_wait_for_a_batch_to_fill(js: JetStreamContext) -> None:
    heard = Heard()
    async with Consumer(js, "WORDS", "hearer", SUBJECT, heard.batch, batch=500):
        await publish(js, "first")
        await eventually(all_done(heard, 1))

        await publish(js, "second")
        await eventually(all_done(heard, 2), timeout_seconds=LINGER_SECONDS / 2)


async def test_a_batch_is_bounded(js: JetStreamContext) -> None:
    sizes: list[int] = []

    async def handler(deliveries: list[Delivery]) -> None:
        sizes.append(len(deliveries))

    await publish(js, *(str(n) for n in range(100)))
    async with Consumer(js, "WORDS", "hearer", SUBJECT, handler, batch=16):
        await eventually(lambda: sum(sizes) == 100)

    assert max(sizes) == 16


async def test_a_slow_handler_is_not_delivered_to_again(js: JetStreamContext) -> None:
    heard = Heard()
    may_finish = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        await heard.each(delivery)
        await may_finish.wait()

    async with hearer(js, slow, ack_wait_seconds=3.0):
        await publish(js, "slow")
        await eventually(all_done(heard, 1))
        await _passes_ack_waits(js, 3.5)
        may_finish.set()
        await eventually(lambda: settled(js))

    assert heard.tries == {"slow": 1}


async def test_a_handler_is_cut_off_after_its_timeout(js: JetStreamContext) -> None:
    tries = 0

    async def hangs_once(_: Delivery) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.get_running_loop().create_future()

    async with Consumer(
        js, "WORDS", "hearer", SUBJECT, hangs_once, handler_timeout_seconds=0.2, backoff=SOON
    ):
        await publish(js, "hangs")
        await eventually(lambda: tries == 2)
        await eventually(lambda: settled(js))


async def test_two_consumers_share_the_work(js: JetStreamContext, nats_url: str) -> None:
    heard = Heard()
    by_process: Counter[int] = Counter()
    both_work = asyncio.Event()

    def counting(process: int) -> Callable[[Delivery], Awaitable[None]]:
        async def handler(delivery: Delivery) -> None:
            by_process[process] += 1
            if len(by_process) == 2:
                both_work.set()
            # One that is quicker would otherwise leave nothing to the other.
            await both_work.wait()
            await heard.each(delivery)

        return handler

    async with (
        jetstream.connect(nats_url) as (_, other_js),
        hearer(js, counting(1)),
        hearer(other_js, counting(2)),
    ):
        await publish(js, *(str(n) for n in range(300)))
        await eventually(all_done(heard, 300))
        await eventually(lambda: settled(js))

    assert heard.tries == Counter(str(n) for n in range(300))
    assert set(by_process) == {1, 2}


async def _passes_ack_waits(js: JetStreamContext, seconds: float) -> None:
    """The server's clock decides on another delivery, so real time has to pass."""
    deadline = asyncio.get_running_loop().time() + seconds
    await eventually(lambda: asyncio.get_running_loop().time() > deadline)
