"""Pulling on a real JetStream: as soon as there is something, by as few requests as that takes."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from consumer_words import publish
from mesh.eventing.pull import Pull
from mesh.testkit import eventually
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

LIMIT = 10
WAIT_SECONDS = 60.0


@pytest_asyncio.fixture(loop_scope="session")
async def requests(js: JetStreamContext) -> AsyncIterator[list[bytes]]:
    """What the server was asked for."""
    heard: list[bytes] = []

    async def hear(request: Msg) -> None:
        heard.append(request.data)

    subscription = await js._nc.subscribe("$JS.API.CONSUMER.MSG.NEXT.>", cb=hear)
    yield heard
    await subscription.unsubscribe()


async def opened(js: JetStreamContext, *, ack_pending_max: int = 1_000) -> Pull:
    config = ConsumerConfig(
        durable_name="puller", ack_policy=AckPolicy.EXPLICIT, max_ack_pending=ack_pending_max
    )
    await js.add_consumer("WORDS", config)
    pull = Pull(js._nc, "WORDS", "puller")
    await pull.open()
    return pull


async def fetching(pull: Pull) -> asyncio.Task[list[Msg]]:
    return asyncio.create_task(pull.fetch(LIMIT, WAIT_SECONDS))


async def test_what_is_there_comes_with_one_request(
    js: JetStreamContext, requests: list[bytes]
) -> None:
    pull = await opened(js)
    await publish(js, "one", "two", "three")

    assert len(await pull.fetch(LIMIT, WAIT_SECONDS)) == 3

    await js._nc.flush()
    assert len(requests) == 1


async def test_what_comes_later_comes_at_once_with_the_same_request(
    js: JetStreamContext, requests: list[bytes]
) -> None:
    pull = await opened(js)
    fetched = await fetching(pull)
    await eventually(lambda: requests)

    await publish(js, "one")
    (message,) = await fetched

    await message.ack()
    assert len(requests) == 1


async def test_who_is_refused_stands_in_line(js: JetStreamContext, requests: list[bytes]) -> None:
    first, second = await opened(js, ack_pending_max=1), await opened(js, ack_pending_max=1)
    (unanswered,) = await _published(js, first, "one")
    await publish(js, "two", "three")
    asked_before = len(requests)

    # There is something, but nothing that may be delivered.
    ahead = await fetching(first)
    await eventually(lambda: len(requests) == asked_before + 1)
    behind = await fetching(second)
    await eventually(lambda: len(requests) == asked_before + 3)

    await unanswered.ack()
    (two,) = await ahead
    await two.ack()
    (three,) = await behind
    await three.ack()
    assert len(requests) == asked_before + 3


async def _published(js: JetStreamContext, pull: Pull, word: str) -> list[Msg]:
    await publish(js, word)
    return await pull.fetch(LIMIT, WAIT_SECONDS)
