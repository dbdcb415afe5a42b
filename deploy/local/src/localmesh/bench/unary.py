"""Unary `SendMessages` calls a second, against an empty grpc.aio handler in a process of its own.

The same client makes the same requests with the same concurrency. The empty handler is of the same
method, without anything round it: it checks nothing, keeps nothing and answers nothing. A message
is authorised, validated, in the ledger and on the bus, and also sent and reported meanwhile.
"""

import asyncio
from itertools import count

from heliograph.audience.v1 import channel_type_pb2 as channels
from heliograph.client import Client
from heliograph.messaging.v1 import message_service_pb2 as pb
from heliograph.messaging.v1.content_pb2 import TRANSACTIONAL, MessageContent, SmsContent

from localmesh.bench.costs import Costs
from localmesh.bench.nobody import answered_by_nobody
from localmesh.bench.rounds import Round, middle_of, stopwatch
from localmesh.bench.stage import PARENT, Stage

LIMIT = 0.30
METHOD = "heliograph.messaging.v1.MessageService.SendMessages"
CALLS = 6_000
ROUNDS = 3
CONCURRENCY = 64
CONTENT = MessageContent(sms=SmsContent(body="Your code is 123456"))


async def measure(stage: Stage) -> None:
    """First nothing, then a message that is kept."""
    costs = Costs(stage.pids)

    async def one(number: int) -> Round:
        yardstick = await empty_rate(stage.client, number)
        with costs.paying(CALLS):
            return Round(await send_rate(stage.client, number), yardstick)

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


async def send_rate(client: Client, number: int) -> float:
    """Calls a second; each round of measuring has numbers to send to of its own."""
    serials = count()

    async def caller() -> None:
        while (serial := next(serials)) < CALLS:
            await client.messages.SendMessages(_request(number * CALLS + serial))

    with stopwatch() as calling:
        await asyncio.gather(*(caller() for _ in range(CONCURRENCY)))
    return CALLS / calling.seconds


async def empty_rate(client: Client, number: int) -> float:
    """The same with nobody behind the handler."""
    async with answered_by_nobody(client, "messaging", METHOD) as empty:
        return await send_rate(empty, number)


def _request(serial: int) -> pb.SendMessagesRequest:
    address = pb.Recipient.Address(channel_type=channels.SMS, address=f"+1212{3_000_000 + serial}")
    return pb.SendMessagesRequest(
        parent=PARENT,
        content=CONTENT,
        purpose=TRANSACTIONAL,
        recipients=[pb.Recipient(address=address)],
    )
