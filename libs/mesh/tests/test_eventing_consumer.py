"""A consumer against a real JetStream: nothing lost, nothing handled for ever, all explained."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from google.protobuf.wrappers_pb2 import StringValue
from mesh.embedded.nats import NatsServer
from mesh.errors import InvalidArgument, Unavailable
from mesh.eventing import dead_letters, fates, headers, jetstream, publisher
from mesh.eventing.consumer import Consumer, Delivery, Later
from mesh.eventing.publisher import outgoing
from mesh.telemetry import propagation
from mesh.testkit import eventually
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

Nats = tuple[Client, JetStreamContext]

SUBJECT = "google.protobuf.StringValue.*"


@pytest_asyncio.fixture
async def js(nats: Nats) -> JetStreamContext:
    await jetstream.ensure_stream(nats[1], "WORDS", ["google.protobuf.>"])
    return nats[1]


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fates, "RETRY_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(fates, "RETRY_DELAY_MAX_SECONDS", 0.2)


async def _publish(js: JetStreamContext, *words: str) -> None:
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


def _consumer(js: JetStreamContext, handler: Callable[[Delivery], Awaitable[None]]) -> Consumer:
    return Consumer(js, "WORDS", "hearer", SUBJECT, handler, ack_wait_seconds=1.0, max_deliver=3)


def _all_done(heard: Heard, count: int) -> Callable[[], bool]:
    return lambda: len(heard.done) >= count


async def _settled(js: JetStreamContext, durable: str = "hearer") -> bool:
    info = await js.consumer_info("WORDS", durable)
    return info.num_pending == 0 and info.num_ack_pending == 0


async def _dead(js: JetStreamContext) -> list[tuple[str, bytes, dict[str, str]]]:
    last = (await js.stream_info(dead_letters.STREAM)).state.last_seq
    stored = [await js.get_msg(dead_letters.STREAM, seq) for seq in range(1, last + 1)]
    return [(m.subject or "", m.data or b"", dict(m.headers or {})) for m in stored]


async def test_each_message_is_handled_once_and_acknowledged(js: JetStreamContext) -> None:
    heard = Heard()
    words = [str(n) for n in range(100)]

    async with _consumer(js, heard.each):
        await _publish(js, *words)
        await eventually(_all_done(heard, 100))
        await eventually(lambda: _settled(js))

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
    async with _consumer(js, handler):
        await eventually(lambda: seen)

    assert seen == [(f"{0xABC:032x}", "one", happened)]


async def test_a_single_message_does_not_wait_for_a_batch_to_fill(js: JetStreamContext) -> None:
    heard = Heard()
    async with Consumer(js, "WORDS", "hearer", SUBJECT, heard.batch, batch=500):
        await _publish(js, "first")
        await eventually(_all_done(heard, 1))

        started = asyncio.get_running_loop().time()
        await _publish(js, "second")
        await eventually(_all_done(heard, 2))

    assert asyncio.get_running_loop().time() - started < 1.0


async def test_a_batch_is_bounded(js: JetStreamContext) -> None:
    sizes: list[int] = []

    async def handler(deliveries: list[Delivery]) -> None:
        sizes.append(len(deliveries))

    await _publish(js, *(str(n) for n in range(100)))
    async with Consumer(js, "WORDS", "hearer", SUBJECT, handler, batch=16):
        await eventually(lambda: sum(sizes) == 100)

    assert max(sizes) == 16


async def test_a_handler_that_fails_some_times_succeeds_in_the_end(js: JetStreamContext) -> None:
    heard = Heard({"stubborn": iter([KeyError("a"), KeyError("b")])})

    async with _consumer(js, heard.each):
        await _publish(js, "stubborn", "easy")
        await eventually(_all_done(heard, 2))
        await eventually(lambda: _settled(js))

    assert heard.tries == {"stubborn": 3, "easy": 1}
    assert await _dead(js) == []


async def test_what_can_never_succeed_becomes_an_explained_dead_letter(
    js: JetStreamContext,
) -> None:
    heard = Heard({"poison": iter([InvalidArgument("WORD_FORBIDDEN", "not this word")])})

    async with _consumer(js, heard.each):
        await _publish(js, "poison", "fine")
        await eventually(_all_done(heard, 1))
        await eventually(lambda: _settled(js))

    [(subject, body, explained)] = await _dead(js)
    assert subject == "dead.google.protobuf.StringValue.shop"
    assert StringValue.FromString(body).value == "poison"
    assert explained[headers.DEAD_REASON] == "WORD_FORBIDDEN"
    assert explained[headers.DEAD_MESSAGE] == "not this word"
    assert explained[headers.DEAD_SUBJECT] == "google.protobuf.StringValue.shop"
    assert explained[headers.DEAD_STREAM] == "WORDS"
    assert explained[headers.DEAD_CONSUMER] == "hearer"
    assert explained[headers.DEAD_DELIVERIES] == "1"
    assert explained[headers.DEAD_ID] == "poison"
    assert headers.EVENT_TIME in explained
    assert heard.tries == {"poison": 1, "fine": 1}


async def test_a_body_that_does_not_parse_is_a_dead_letter(js: JetStreamContext) -> None:
    heard = Heard()

    async with _consumer(js, heard.each):
        await js.publish("google.protobuf.StringValue.shop", b"\xff\xff")
        await eventually(lambda: _buried(js, 1))

    [(_, body, explained)] = await _dead(js)
    assert body == b"\xff\xff"
    assert explained[headers.DEAD_REASON] == "MESSAGE_MALFORMED"


async def test_a_message_that_always_fails_is_given_up_after_its_deliveries(
    js: JetStreamContext,
) -> None:
    heard = Heard({"cursed": iter([KeyError("x")] * 99)})

    async with _consumer(js, heard.each):
        await _publish(js, "cursed")
        await eventually(lambda: _buried(js, 1))
        await eventually(lambda: _settled(js))

    [(_, _, explained)] = await _dead(js)
    # A slow machine may deliver it once more before the server has heard that it is given up.
    assert heard.tries["cursed"] in (3, 4)
    assert explained[headers.DEAD_REASON] == "KeyError"
    assert explained[headers.DEAD_DELIVERIES] == "3"


async def test_an_absence_longer_than_max_deliver_costs_no_message(js: JetStreamContext) -> None:
    heard = Heard({"patient": iter([Unavailable("AWAY", "away")] * 8)})

    async with _consumer(js, heard.each):
        await _publish(js, "patient", "other")
        await eventually(_all_done(heard, 2))
        await eventually(lambda: _settled(js))

    assert heard.tries == {"patient": 9, "other": 1}
    assert await _dead(js) == []


async def test_a_whole_batch_waits_while_something_is_away(js: JetStreamContext) -> None:
    heard = Heard({"0": iter([Unavailable("AWAY", "away")] * 3)})
    await _publish(js, *(str(n) for n in range(10)))

    async with Consumer(js, "WORDS", "hearer", SUBJECT, heard.batch, batch=10):
        await eventually(_all_done(heard, 10))

    assert heard.tries["0"] == 4
    assert await _dead(js) == []


async def test_a_success_brings_forward_all_that_wait(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fates, "RETRY_DELAY_SECONDS", 3600.0)
    monkeypatch.setattr(fates, "RETRY_DELAY_MAX_SECONDS", 3600.0)
    words = [str(number) for number in range(20)]
    heard = Heard({word: iter([Unavailable("AWAY", "away")]) for word in words})
    consumer = Consumer(js, "WORDS", "hearer", SUBJECT, heard.batch, batch=10, concurrency=1)
    async with consumer:
        for word in words:
            await _publish(js, word)
            await eventually(lambda word=word: heard.tries[word])
        assert heard.done == []

        await _publish(js, "back")

        await eventually(_all_done(heard, 21))
        await eventually(lambda: _settled(js))
    assert set(heard.tries.values()) == {1, 2}
    assert heard.batches[-3:] == [1, 10, 10]


async def test_what_was_brought_forward_in_vain_waits_its_time(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fates, "RETRY_DELAY_SECONDS", 3600.0)
    monkeypatch.setattr(fates, "RETRY_DELAY_MAX_SECONDS", 3600.0)
    heard = Heard({"stubborn": iter([Unavailable("AWAY", "away")] * 50)})
    async with _consumer(js, heard.each):
        await _publish(js, "stubborn")
        await eventually(lambda: heard.tries["stubborn"] == 1)
        await _publish(js, "first")
        await eventually(lambda: heard.tries["stubborn"] == 2)

        await _publish(js, *(str(number) for number in range(20)))

        await eventually(_all_done(heard, 21))
    assert heard.tries["stubborn"] == 2


async def test_one_poisonous_message_does_not_spoil_its_batch(js: JetStreamContext) -> None:
    heard = Heard({"7": iter([InvalidArgument("WORD_FORBIDDEN", "no")] * 99)})
    await _publish(js, *(str(n) for n in range(20)))

    async with Consumer(js, "WORDS", "hearer", SUBJECT, heard.batch, batch=20):
        await eventually(_all_done(heard, 19))
        await eventually(lambda: _buried(js, 1))

    assert sorted(heard.done, key=int) == [str(n) for n in range(20) if n != 7]


async def test_later_delivers_again_after_the_time_asked_for(js: JetStreamContext) -> None:
    heard = Heard({"sleepy": iter([Later(0.3)])})
    started = asyncio.get_running_loop().time()

    async with _consumer(js, heard.each):
        await _publish(js, "sleepy")
        await eventually(_all_done(heard, 1))

    assert asyncio.get_running_loop().time() - started > 0.3


async def test_a_slow_handler_is_not_delivered_to_again(js: JetStreamContext) -> None:
    heard = Heard()
    may_finish = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        await heard.each(delivery)
        await may_finish.wait()

    async with _consumer(js, slow):
        await _publish(js, "slow")
        await eventually(_all_done(heard, 1))
        await _passes_ack_waits(js, 2.5)
        may_finish.set()
        await eventually(lambda: _settled(js))

    assert heard.tries == {"slow": 1}


async def test_a_handler_is_cut_off_after_its_timeout(js: JetStreamContext) -> None:
    tries = 0

    async def hangs_once(_: Delivery) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.get_running_loop().create_future()

    async with Consumer(js, "WORDS", "hearer", SUBJECT, hangs_once, handler_timeout_seconds=0.2):
        await _publish(js, "hangs")
        await eventually(lambda: tries == 2)
        await eventually(lambda: _settled(js))


async def test_two_consumers_share_the_work(js: JetStreamContext, nats_url: str) -> None:
    heard = Heard()
    by_process: Counter[int] = Counter()

    def counting(process: int) -> Callable[[Delivery], Awaitable[None]]:
        async def handler(delivery: Delivery) -> None:
            by_process[process] += 1
            await heard.each(delivery)
            await asyncio.sleep(0)

        return handler

    async with (
        jetstream.connect(nats_url) as (_, other_js),
        _consumer(js, counting(1)),
        _consumer(other_js, counting(2)),
    ):
        await _publish(js, *(str(n) for n in range(300)))
        await eventually(_all_done(heard, 300))
        await eventually(lambda: _settled(js))

    assert heard.tries == Counter(str(n) for n in range(300))
    assert set(by_process) == {1, 2}


async def test_stopping_finishes_what_runs_and_returns_the_rest(js: JetStreamContext) -> None:
    heard = Heard({"held": iter([Unavailable("AWAY", "away", retry_after_seconds=60)])})
    may_finish = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        await heard.each(delivery)
        await may_finish.wait()

    async with _consumer(js, slow):
        await _publish(js, "running", "held")
        await eventually(lambda: heard.tries == {"running": 1, "held": 1})
        may_finish.set()

    after = Heard()
    async with _consumer(js, after.each):
        await eventually(_all_done(after, 1), timeout_seconds=0.9)
        await eventually(lambda: _settled(js))

    assert heard.done == ["running"]
    assert after.done == ["held"]


async def test_stopping_is_bounded(js: JetStreamContext) -> None:
    started = asyncio.Event()

    async def hangs(_: Delivery) -> None:
        started.set()
        await asyncio.get_running_loop().create_future()

    async with Consumer(js, "WORDS", "hearer", SUBJECT, hangs, stop_seconds=0.1):
        await _publish(js, "hangs")
        await started.wait()

    after = Heard()
    async with _consumer(js, after.each):
        await eventually(_all_done(after, 1), timeout_seconds=5)


async def test_the_messages_of_a_dead_process_are_taken_over(
    js: JetStreamContext, nats_url: str
) -> None:
    started = asyncio.Event()

    async def hangs(_: Delivery) -> None:
        started.set()
        await asyncio.get_running_loop().create_future()

    async with (
        jetstream.connect(nats_url) as (dying, dying_js),
        Consumer(dying_js, "WORDS", "hearer", SUBJECT, hangs, ack_wait_seconds=1.0, stop_seconds=0),
    ):
        await _publish(js, "inherited")
        await started.wait()
        await dying.close()

    heard = Heard()
    async with _consumer(js, heard.each):
        await eventually(_all_done(heard, 1))
        await eventually(lambda: _settled(js))


async def test_a_deleted_consumer_is_made_again(js: JetStreamContext) -> None:
    heard = Heard()
    async with _consumer(js, heard.each):
        await _publish(js, "before")
        await eventually(_all_done(heard, 1))
        await eventually(lambda: _settled(js))

        await js.delete_consumer("WORDS", "hearer")
        await _publish(js, "after")

        await eventually(lambda: "after" in heard.done)


async def test_a_consumer_waits_for_a_stream_that_comes_later(nats: Nats) -> None:
    _, js = nats
    heard = Heard()
    async with _consumer(js, heard.each):
        await jetstream.ensure_stream(js, "WORDS", ["google.protobuf.>"])
        await _publish(js, "late")

        await eventually(_all_done(heard, 1))


@pytest.mark.parametrize("killed", [False, True], ids=["restarted", "killed"])
async def test_nothing_is_lost_when_the_server_goes_away_meanwhile(
    js: JetStreamContext, fresh_nats_server: NatsServer, killed: bool
) -> None:
    heard = Heard()
    words = [str(n) for n in range(200)]
    gate = asyncio.Semaphore(20)

    async def handler(delivery: Delivery) -> None:
        await gate.acquire()
        await heard.each(delivery)

    await _publish(js, *words)
    async with Consumer(
        js, "WORDS", "hearer", SUBJECT, handler, concurrency=8, ack_wait_seconds=1.0
    ):
        await eventually(_all_done(heard, 20))
        if killed:
            assert fresh_nats_server.process is not None
            await fresh_nats_server.process.kill()
        await fresh_nats_server.stop()
        for _ in range(2000):
            gate.release()
        await fresh_nats_server.start()

        await eventually(lambda: len(set(heard.done)) == 200, timeout_seconds=30)
        await eventually(lambda: _settled(js), timeout_seconds=10)

    assert sorted(set(heard.done), key=int) == words


async def test_a_dead_letter_that_cannot_be_stored_is_kept(
    js: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard({"poison": iter([InvalidArgument("WORD_FORBIDDEN", "no")] * 99)})
    monkeypatch.setattr(publisher, "ATTEMPTS_MAX", 1)

    async with _consumer(js, heard.each):
        await jetstream.wait_for_stream(js, dead_letters.STREAM)
        await js.delete_stream(dead_letters.STREAM)
        await _publish(js, "poison")
        await eventually(lambda: heard.tries["poison"] > 1)
        await dead_letters.ensure_stream(js)
        await eventually(lambda: _buried(js, 1))


async def _buried(js: JetStreamContext, count: int) -> bool:
    try:
        return len(await _dead(js)) == count
    except NotFoundError:
        return False


async def _passes_ack_waits(js: JetStreamContext, seconds: float) -> None:
    """The server's clock decides on another delivery, so real time has to pass."""
    deadline = asyncio.get_running_loop().time() + seconds
    await eventually(lambda: asyncio.get_running_loop().time() > deadline)
