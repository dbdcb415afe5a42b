"""The whole service on real servers: bus in, answers out; dead in between, nothing lost."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from heliograph import subjects
from heliograph.messaging.v1 import message_service_pb2  # noqa: F401 - its descriptor is served
from heliograph.twoway.v1 import events_pb2
from mesh.eventing import jetstream, publisher
from mesh.eventing.consumer import Consumer, Delivery
from mesh.testkit.rpc import RpcServe
from mesh.testkit.waiting import eventually
from nats.aio.client import Client
from nats.js import JetStreamContext
from twoway_messaging import SERVICE, MessageServicer
from twoway_room import inbound, sms

Environment = dict[str, str]
ANN, BOB = "+12065550191", "+12065550192"


@pytest.fixture
def messaging() -> MessageServicer:
    return MessageServicer()


@pytest_asyncio.fixture(loop_scope="session")
async def environment(
    database_url: str,
    nats_url: str,
    auth_public_key: str,
    service_token: str,
    messaging: MessageServicer,
    rpc_serve: RpcServe,
) -> Environment:
    """What a process of this service is told."""
    return {
        **os.environ,
        "HELIOGRAPH_DATABASE_URL": database_url,
        "HELIOGRAPH_NATS_URL": nats_url,
        "HELIOGRAPH_AUTH_PUBLIC_KEY": auth_public_key,
        "HELIOGRAPH_SERVICE_TOKEN": service_token,
        "HELIOGRAPH_MESSAGING_ADDRESS": await rpc_serve({SERVICE: messaging}),
        "HELIOGRAPH_SHUTDOWN_GRACE_SECONDS": "1",
    }


@asynccontextmanager
async def process(environment: Environment) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as a process; killed at the end."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "twoway", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


@pytest_asyncio.fixture(loop_scope="session")
async def say(
    nats: tuple[Client, JetStreamContext],
) -> Callable[..., object]:
    """Publish texts as the carrier gateway does."""
    _, js = nats
    await jetstream.ensure_streams(js, subjects.INBOUND)

    async def publish(*texts: tuple[str, str], at_seconds: float = 0) -> None:
        event = inbound([sms(text, source, at_seconds=at_seconds) for source, text in texts])
        await publisher.publish(js, event, "shop")

    return publish


async def test_a_text_on_the_bus_is_answered_once(
    environment: Environment, say: Callable[..., object], messaging: MessageServicer
) -> None:
    async with process(environment):
        await say((ANN, "STOP"), (BOB, "HELP"))  # type: ignore[misc]
        await say((ANN, "STOP"))  # type: ignore[misc]
        await eventually(lambda: len(messaging.sent) == 2)
        await say((ANN, "START"), at_seconds=5)  # type: ignore[misc]
        await eventually(lambda: len(messaging.sent) == 3)

    assert sorted(address for address, _ in messaging.sent) == [ANN, ANN, BOB]


async def test_texts_written_while_the_service_is_down_are_answered_later(
    environment: Environment, say: Callable[..., object], messaging: MessageServicer
) -> None:
    await say((ANN, "STOP"))  # type: ignore[misc]

    async with process(environment):
        await eventually(lambda: len(messaging.sent) == 1)


async def test_killed_again_and_again_each_text_is_answered_exactly_once(
    environment: Environment, say: Callable[..., object], messaging: MessageServicer
) -> None:
    writers = [f"+1206{number:07}" for number in range(1, 301)]

    async def talk() -> None:
        for start in range(0, 300, 3):
            await say(*((writer, "STOP") for writer in writers[start : start + 3]))  # type: ignore[misc]

    talking = asyncio.create_task(talk())
    for answers in (20, 90, 160):
        async with process(environment) as running:
            await eventually(lambda least=answers: len(messaging.sent) >= least)  # type: ignore[misc]
            running.send_signal(signal.SIGKILL)
    await talking
    async with process(environment):
        await eventually(lambda: len(messaging.sent) == 300)

    assert sorted(address for address, _ in messaging.sent) == writers


async def test_answers_wait_for_messaging_to_come_up(
    environment: Environment,
    say: Callable[..., object],
    messaging: MessageServicer,
    nats: tuple[Client, JetStreamContext],
    rpc_serve: RpcServe,
) -> None:
    _, js = nats
    await jetstream.ensure_streams(js, subjects.TWOWAY)
    opted_out: list[str] = []

    async def hear(delivery: Delivery) -> None:
        event = delivery.parse(events_pb2.NumberOptedOut)
        opted_out.extend(change.destination_address for change in event.changes)

    from mesh.embedded.ports import free_port
    from mesh.rpc.server import rpc_server
    from mesh.testkit.rpc import RpcSettings

    port = free_port()
    environment["HELIOGRAPH_MESSAGING_ADDRESS"] = f"127.0.0.1:{port}"
    subject = subjects.subject(events_pb2.NumberOptedOut, "*")
    async with process(environment), Consumer(js, subjects.TWOWAY.name, "test", subject, hear):
        await say((ANN, "STOP"))  # type: ignore[misc]
        # The opt-out counts although nobody can be told yet.
        await eventually(lambda: opted_out == [ANN])
        assert not messaging.sent
        settings = RpcSettings(environment["HELIOGRAPH_AUTH_PUBLIC_KEY"], f"127.0.0.1:{port}")
        async with rpc_server(settings, {SERVICE: messaging}):
            await eventually(lambda: len(messaging.sent) == 1)


async def test_the_process_ends_well_when_asked_to(
    environment: Environment, tmp_path: object
) -> None:
    environment["HELIOGRAPH_PORTS_FILE"] = ports_file = f"{tmp_path}/ports.json"
    async with process(environment) as running:
        await eventually(lambda: os.path.exists(ports_file))
        running.terminate()
        assert await asyncio.wait_for(running.wait(), 60) == 0
