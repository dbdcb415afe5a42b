"""Unary `SendMessages` calls, against an empty grpc.aio handler in a process of its own."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import grpc
from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.messaging.v1 import message_service_pb2 as pb
from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL, MessageContent, SmsContent

from localmesh.bench.stage import PARENT, Stage, stopwatch

LIMIT = 0.30
CALLS = 6_000
CONCURRENCY = 64
EMPTY = "/bench.Empty/Call"


async def measure(stage: Stage) -> None:
    """The same client, the same concurrency: first nothing, then a message that is kept."""
    empty_rate = await _empty_rate()
    stage.note("an empty grpc.aio handler", empty_rate, "calls/s")
    rate = await _rate(_sender(stage))
    stage.note(
        "unary SendMessages, one recipient",
        rate,
        "calls/s",
        yardstick=empty_rate,
        limit=LIMIT,
        process="messaging",
    )


def _sender(stage: Stage) -> Callable[[int], Awaitable[object]]:
    content = MessageContent(sms=SmsContent(body="Your code is 123456"))

    async def send(serial: int) -> object:
        address = pb.Recipient.Address(
            channel_type=channels.SMS, address=f"+1212{3_000_000 + serial}"
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
