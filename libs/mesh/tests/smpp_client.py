"""A client bound to a server of ours, both in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from mesh.smpp import (
    Bind,
    Carrier,
    DeliverSm,
    Esme,
    Reply,
    Session,
    Smsc,
    Status,
    SubmitSm,
)

Submitted = Callable[[Session, Sequence[SubmitSm]], Awaitable[Sequence[Reply]]]

Delivered = Callable[[Sequence[DeliverSm]], Awaitable[None]]


async def accept(_: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
    return [Reply(message_id=f"id-{pdu.destination_addr}") for pdu in pdus]


async def ignore(_: Sequence[DeliverSm]) -> None:
    """Takes everything."""


def authenticate(bind: Bind) -> Status:
    return Status.ESME_ROK if bind.password == "right" else Status.ESME_RINVPASWD


@contextlib.asynccontextmanager
async def server(submitted: Submitted = accept, port: int = 0) -> AsyncIterator[Smsc]:
    async with Smsc(authenticate=authenticate, submitted=submitted) as smsc:
        smsc.port = await smsc.start(port=port)
        yield smsc


def carrier(port: int, password: str = "right", **settings: object) -> Carrier:
    return Carrier(
        "127.0.0.1",
        port,
        Bind("mesh", password),
        reconnect_seconds_min=0.01,
        reconnect_seconds_max=0.05,
        **settings,
    )


@contextlib.asynccontextmanager
async def client(
    smsc: Smsc, delivered: Delivered = ignore, **settings: object
) -> AsyncIterator[Esme]:
    async with Esme(carrier(smsc.port, **settings), delivered) as esme:
        await esme.wait_bound(60)
        yield esme


def messages(count: int) -> list[SubmitSm]:
    return [SubmitSm("heliograph", str(number), b"hello") for number in range(count)]


def outcomes(answers: Sequence[object]) -> list[str]:
    return [answer.outcome.name for answer in answers]


class Holding:
    """Takes messages and answers none before it is let."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.let = asyncio.Event()

    async def __call__(self, session: Session, pdus: Sequence[SubmitSm]) -> Sequence[Reply]:
        self.seen += [pdu.destination_addr for pdu in pdus]
        await self.let.wait()
        return await accept(session, pdus)
