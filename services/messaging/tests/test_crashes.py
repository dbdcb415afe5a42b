"""A worker that dies between any two steps, and a process that is killed again and again."""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from datetime import UTC, datetime

import pytest
from google.protobuf.duration_pb2 import Duration
from heliograph.messaging.v1.content_pb2 import Purpose
from mesh.eventing.consumer import Delivery
from mesh.testkit.waiting import eventually
from messaging.channels.smpp.driver import SmppDriver
from messaging.ledger import claims, outcomes
from messaging.pipeline import batches, entering, handing, lists
from messaging.pipeline.consent import Consent
from messaging_samples import batch, endpoint, number


class Killed(BaseException):
    """The end of a worker: nothing of ours catches it."""


STEPS = {
    "lists": (lists, "apply"),
    "claim": (claims, "claim"),
    "enter": (entering, "enter"),
    "consent": (Consent, "refusing"),
    "hand_over": (SmppDriver, "hand_over"),
    "record": (outcomes, "record"),
    "announce_sent": (handing, "announce"),
    "announce_told": (batches, "announce"),
}


def delivery_of(sent):
    """The batch as the bus would hand it out for the first time."""
    return Delivery(sent.SerializeToString(), "", {}, 1, "SENDS", 1, datetime.now(UTC))


def kill_at(monkeypatch, step, when):
    """The next worker dies before or after the step; those after it live."""
    holder, name = STEPS[step]
    original = getattr(holder, name)
    killed = []

    async def step_of_a_doomed_worker(*args, **kwargs):
        if killed:
            return await original(*args, **kwargs)
        killed.append(step)
        if when == "after":
            await original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(holder, name, step_of_a_doomed_worker)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_dies_at_a_step_loses_and_doubles_nothing(
    make_room, monkeypatch, step, when
):
    room = await make_room(chunk_size_max=20)
    await room.open_channel(settle_window=Duration(seconds=1))
    room.opt_outs.numbers.add(number(3))
    sent = batch([endpoint(i) for i in range(60)])
    kill_at(monkeypatch, step, when)
    with pytest.raises(Killed):
        await room.assembly.batches.handle(delivery_of(sent))

    await room.publish(sent)

    states = await room.settled(60)
    arrived = Counter(entry["destination"] for entry in await room.arrived())
    assert max(arrived.values()) == 1
    reached = {f"e{i}" for i in range(60) if number(i) in arrived}
    assert {key for key, state in states.items() if state == "DELIVERED"} == reached
    assert states["e3"] in ("OPTED_OUT", "OUTCOME_UNKNOWN")
    given_up = {key for key, state in states.items() if state == "OUTCOME_UNKNOWN"}
    assert len(given_up) <= 20
    told = Counter(event.event_id for event in await room.events())
    assert len(told) == 2 * len(reached) + (60 - len(reached))


@pytest.mark.parametrize("step", ["claim", "consent", "hand_over"])
async def test_a_transactional_message_survives_a_dead_worker(make_room, monkeypatch, step):
    room = await make_room()
    await room.open_channel(settle_window=Duration(seconds=1))
    sent = batch([endpoint(i) for i in range(10)], purpose=Purpose.TRANSACTIONAL)
    kill_at(monkeypatch, step, "after")
    with pytest.raises(Killed):
        await room.assembly.batches.handle(delivery_of(sent))

    await room.publish(sent)

    assert Counter((await room.settled(10)).values()) == {"DELIVERED": 10}


async def started(room, tmp_path, number_of_start):
    """The service in a process of its own."""
    ports = tmp_path / f"ports-{number_of_start}.json"
    settings = room.settings
    environment = {
        **os.environ,
        "HELIOGRAPH_DATABASE_URL": settings.database_url,
        "HELIOGRAPH_NATS_URL": settings.nats_url,
        "HELIOGRAPH_AUTH_PUBLIC_KEY": settings.auth_public_key,
        "HELIOGRAPH_SERVICE_TOKEN": settings.service_token.get_secret_value(),
        "HELIOGRAPH_AUDIENCE_ADDRESS": settings.audience_address,
        "HELIOGRAPH_TWOWAY_ADDRESS": settings.twoway_address,
        "HELIOGRAPH_SECRETS_KEY": settings.secrets_key.get_secret_value(),
        "HELIOGRAPH_BATCH_ACK_WAIT_SECONDS": "1",
        "HELIOGRAPH_PORTS_FILE": str(ports),
        "HELIOGRAPH_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "messaging", "serve", env=environment
    )
    await eventually(ports.exists, 30)
    assert json.loads(ports.read_text())["grpc"]
    return process


async def test_a_process_that_is_killed_again_and_again_loses_and_doubles_nothing(
    make_room, tmp_path
):
    room = await make_room(at_work=False)
    await room.open_channel(settle_window=Duration(seconds=3))
    await room.assembly.connections.close()
    await room.carrier.remote.behave(submits_per_second_max=800)
    for page in range(12):
        members = [endpoint(i) for i in range(page * 100, page * 100 + 100)]
        await room.publish(batch(members, f"page-{page}"))
    moments = random.Random(7)

    for start in range(3):
        process = await started(room, tmp_path, start)
        already = len(await room.arrived())
        enough = already + moments.randrange(50, 400)

        async def some_more(enough=enough):
            return len(await room.arrived()) >= enough

        await eventually(some_more, 20)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    process = await started(room, tmp_path, 3)
    states = await room.settled(1200, 60)
    process.terminate()
    await process.wait()

    arrived = Counter(entry["destination"] for entry in await room.arrived())
    assert max(arrived.values()) == 1
    delivered = {key for key, state in states.items() if state == "DELIVERED"}
    assert delivered == {f"e{i}" for i in range(1200) if number(i) in arrived}
    assert set(states.values()) <= {"DELIVERED", "OUTCOME_UNKNOWN"}
