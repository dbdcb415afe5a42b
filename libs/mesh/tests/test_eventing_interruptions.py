"""A consumer that stops, dies, or loses its server meanwhile: nothing is lost."""

import asyncio

import pytest
from consumer_words import SUBJECT, Heard, all_done, hearer, publish, settled
from mesh.embedded.nats import NatsServer
from mesh.errors import Unavailable
from mesh.eventing import jetstream
from mesh.eventing.consumer import Consumer, Delivery
from mesh.testkit import eventually
from nats.aio.client import Client
from nats.js import JetStreamContext


async def test_stopping_finishes_what_runs_and_returns_the_rest(js: JetStreamContext) -> None:
    heard = Heard({"held": iter([Unavailable("AWAY", "away", retry_after_seconds=60)])})
    may_finish = asyncio.Event()

    async def slow(delivery: Delivery) -> None:
        await heard.each(delivery)
        await may_finish.wait()

    async with hearer(js, slow):
        await publish(js, "running", "held")
        await eventually(lambda: heard.tries == {"running": 1, "held": 1})
        may_finish.set()

    after = Heard()
    async with hearer(js, after.each):
        await eventually(all_done(after, 1))
        await eventually(lambda: settled(js))

    assert heard.done == ["running"]
    assert after.done == ["held"]


async def test_stopping_is_bounded(js: JetStreamContext) -> None:
    started = asyncio.Event()

    async def hangs(_: Delivery) -> None:
        started.set()
        await asyncio.get_running_loop().create_future()

    async with Consumer(js, "WORDS", "hearer", SUBJECT, hangs, stop_seconds=0.1):
        await publish(js, "hangs")
        await started.wait()

    after = Heard()
    async with hearer(js, after.each):
        await eventually(all_done(after, 1))


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
        await publish(js, "inherited")
        await started.wait()
        await dying.close()

    heard = Heard()
    async with hearer(js, heard.each, ack_wait_seconds=1.0):
        await eventually(all_done(heard, 1))
        await eventually(lambda: settled(js))


async def test_a_deleted_consumer_is_made_again(js: JetStreamContext) -> None:
    heard = Heard()
    async with hearer(js, heard.each):
        await publish(js, "before")
        await eventually(all_done(heard, 1))
        await eventually(lambda: settled(js))

        await js.delete_consumer("WORDS", "hearer")
        await publish(js, "after")

        await eventually(lambda: "after" in heard.done)


async def test_a_consumer_waits_for_a_stream_that_comes_later(
    nats: tuple[Client, JetStreamContext],
) -> None:
    _, js = nats
    heard = Heard()
    async with hearer(js, heard.each):
        await jetstream.ensure_stream(js, "WORDS", ["google.protobuf.>"])
        await publish(js, "late")

        await eventually(all_done(heard, 1))


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

    await publish(js, *words)
    async with Consumer(
        js, "WORDS", "hearer", SUBJECT, handler, concurrency=8, ack_wait_seconds=1.0
    ):
        await eventually(all_done(heard, 20))
        if killed:
            assert fresh_nats_server.process is not None
            await fresh_nats_server.process.kill()
        await fresh_nats_server.stop()
        for _ in range(2000):
            gate.release()
        await fresh_nats_server.start()

        await eventually(lambda: len(set(heard.done)) == 200)
        await eventually(lambda: settled(js))

    assert sorted(set(heard.done), key=int) == words
