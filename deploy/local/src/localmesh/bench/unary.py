"""Unary `SendMessages` calls a second, against an empty grpc.aio handler in a process of its own.

Both are called by the same client with the same concurrency. The handler takes nothing, checks
nothing and answers nothing; a message is authorised, validated, in the ledger and on the bus.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import grpc
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.messaging.v1 import message_service_pb2 as pb
from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL, MessageContent, SmsContent

from localmesh.bench.costs import Costs
from localmesh.bench.rounds import Round, middle_of, stopwatch
from localmesh.bench.stage import PARENT, Stage

LIMIT = 0.30
CALLS = 6_000
ROUNDS = 3
CONCURRENCY = 64
EMPTY = "/bench.Empty/Call"


async def measure(stage: Stage) -> None:
    """First nothing, then a message that is kept."""

    costs = Costs(stage.pids)

    async def one(number: int) -> Round:
        yardstick = await _empty_rate()
        with costs.paying(CALLS):
            return Round(await _rate(_sender(stage, number)), yardstick)

    middle = await middle_of(ROUNDS, one)
    stage.note("an empty grpc.aio handler", middle.yardstick, "calls/s")
    stage.note(
        "unary SendMessages, one recipient",
        middle.rate,
        "calls/s",
        yardstick=middle.yardstick,
        limit=LIMIT,
        process="messaging",
    )
    stage.note_costs(costs, "call")


def _sender(stage: Stage, number: int) -> Callable[[int], Awaitable[object]]:
    content = MessageContent(sms=SmsContent(body="Your code is 123456"))

    async def send(serial: int) -> object:
        address = pb.Recipient.Address(
            channel_type=channels.SMS, address=f"+1212{3_000_000 + number * CALLS + serial}"
        )
        return await stage.client.messages.SendMessages(
            pb.SendMessagesRequest(
                parent=PARENT,
                content=content,
                purpose=TRANSACTIONAL,
                recipients=[pb.Recipient(address=address)],
            )
        )

    return send


async def _rate(call: Callable[[int], Awaitable[object]]) -> float:
    serials = count()

    async def caller() -> None:
        while (serial := next(serials)) < CALLS:
            await call(serial)

    with stopwatch() as calling:
        await asyncio.gather(*(caller() for _ in range(CONCURRENCY)))
    return CALLS / calling.seconds


async def _empty_rate() -> float:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "localmesh.bench.empty_server"), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    address = f"127.0.0.1:{int(await server.stdout.readline())}"
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            call: Any = channel.unary_unary(EMPTY)
            return await _rate(lambda serial: call(b""))
    finally:
        server.terminate()
        await server.wait()
