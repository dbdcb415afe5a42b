"""Publishing to a real JetStream: acknowledged, identified, once."""

import asyncio
from datetime import UTC, datetime

import pytest
from google.protobuf.wrappers_pb2 import BytesValue, StringValue
from mesh.embedded.nats import MAX_PAYLOAD_BYTES, NatsServer
from mesh.errors import InvalidArgument, Unavailable
from mesh.eventing import headers, jetstream, publisher
from mesh.eventing.publisher import outgoing
from mesh.eventing.subjects import subject_of
from nats.aio.client import Client
from nats.js import JetStreamContext
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

Nats = tuple[Client, JetStreamContext]

SUBJECTS = ["google.protobuf.>"]


@pytest.fixture
async def js(nats: Nats) -> JetStreamContext:
    await jetstream.ensure_stream(nats[1], "WORDS", SUBJECTS)
    return nats[1]


async def _count(js: JetStreamContext) -> int:
    return (await js.stream_info("WORDS")).state.messages


async def test_a_message_carries_its_id_time_and_trace(js: JetStreamContext) -> None:
    context = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        await publisher.publish(
            js,
            StringValue(value="hello"),
            "shop",
            msg_id="one",
            suffix="bulk",
            event_time=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        )

    stored = await js.get_msg("WORDS", 1)
    assert stored.subject == "google.protobuf.StringValue.shop.bulk"
    assert StringValue.FromString(stored.data or b"").value == "hello"
    assert stored.headers == {
        headers.MESSAGE_ID: "one",
        headers.EVENT_TIME: "2026-01-02T03:04:00Z",
        headers.TRACE_PARENT: f"00-{1:032x}-{2:016x}-01",
    }


async def test_the_same_id_is_stored_once(js: JetStreamContext) -> None:
    for _ in range(3):
        ack = await publisher.publish(js, StringValue(value="x"), "shop", msg_id="one")

    assert ack.duplicate
    assert await _count(js) == 1


async def test_many_are_published_in_order_and_acknowledged(js: JetStreamContext) -> None:
    messages = [outgoing(StringValue(value=str(n)), "shop", msg_id=str(n)) for n in range(200)]

    acks = await publisher.publish_many(js, messages, in_flight_max=16)

    assert [ack.seq for ack in acks] == list(range(1, 201))


async def test_a_publisher_outlives_a_restart_of_the_server(
    js: JetStreamContext, fresh_nats_server: NatsServer
) -> None:
    async def publish_all() -> None:
        for n in range(40):
            message = outgoing(StringValue(value=str(n)), "shop", msg_id=str(n))
            await publisher.send(js, message, attempts_max=100, ack_timeout_seconds=0.2)

    async def restart() -> None:
        assert fresh_nats_server.process is not None
        await fresh_nats_server.process.kill()
        await fresh_nats_server.stop()
        await fresh_nats_server.start()

    publishing = asyncio.create_task(publish_all())
    await publisher.publish(js, StringValue(value="first"), "shop", msg_id="first")
    await restart()
    await publishing

    assert await _count(js) == 41


async def test_no_stream_means_unavailable(nats: Nats) -> None:
    with pytest.raises(Unavailable) as caught:
        await publisher.send(nats[1], outgoing(StringValue(), "shop"), attempts_max=2)

    assert caught.value.reason == "STREAM_UNAVAILABLE"
    assert caught.value.metadata["subject"] == "google.protobuf.StringValue.shop"


async def test_a_message_above_the_servers_limit_is_refused(js: JetStreamContext) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await publisher.publish(js, BytesValue(value=bytes(MAX_PAYLOAD_BYTES + 1)), "shop")

    assert caught.value.reason == "MESSAGE_TOO_LARGE"


async def test_publish_many_fails_when_one_fails(js: JetStreamContext) -> None:
    messages = [
        outgoing(StringValue(value="fine"), "shop"),
        outgoing(BytesValue(value=bytes(MAX_PAYLOAD_BYTES + 1)), "shop"),
    ]

    with pytest.raises(InvalidArgument):
        await publisher.publish_many(js, messages)


async def test_a_stream_is_brought_up_to_date(nats: Nats) -> None:
    _, js = nats
    await jetstream.ensure_stream(js, "WORDS", ["a.>"], max_age_seconds=3600)

    await jetstream.ensure_stream(js, "WORDS", ["a.>", "b.>"], max_age_seconds=7200)

    config = (await js.stream_info("WORDS")).config
    assert config.subjects == ["a.>", "b.>"]
    assert config.max_age == 7200


async def test_replicas_may_ensure_a_stream_at_once(nats: Nats) -> None:
    _, js = nats

    await asyncio.gather(*(jetstream.ensure_stream(js, "WORDS", SUBJECTS) for _ in range(8)))

    assert (await js.stream_info("WORDS")).config.subjects == SUBJECTS


async def test_a_stream_of_another_service_is_waited_for(nats: Nats) -> None:
    _, js = nats
    waiting = asyncio.create_task(jetstream.wait_for_stream(js, "WORDS", poll_seconds=0.05))
    await asyncio.sleep(0)

    await jetstream.ensure_stream(js, "WORDS", SUBJECTS)

    assert (await waiting).config.name == "WORDS"


async def test_waiting_for_a_stream_is_bounded(nats: Nats) -> None:
    with pytest.raises(Unavailable) as caught:
        await jetstream.wait_for_stream(nats[1], "WORDS", 0.1, poll_seconds=0.05)

    assert caught.value.reason == "STREAM_MISSING"


async def test_connecting_to_nobody_is_unavailable() -> None:
    with pytest.raises(Unavailable) as caught:
        async with jetstream.connect("nats://127.0.0.1:1", start_timeout_seconds=0.2):
            pass

    assert caught.value.reason == "NATS_UNREACHABLE"


def test_the_subject_is_the_full_name_and_the_application() -> None:
    assert subject_of(StringValue, "shop") == "google.protobuf.StringValue.shop"
    assert subject_of(StringValue(), "shop", "bulk.x") == "google.protobuf.StringValue.shop.bulk.x"


@pytest.mark.parametrize("application", ["", "*", ">", "a.b", "a b", "a\r\nPUB"])
def test_an_application_that_is_no_token_is_refused(application: str) -> None:
    with pytest.raises(ValueError, match="token"):
        subject_of(StringValue, application)
