"""What every driver test needs: a listener that keeps what it hears, and messages to hand over."""

from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

import pytest
from mesh.sms import segment
from mesh.testkit.waiting import eventually
from messaging.channels.inbound import InboundPart, InboundText, Receipt
from messaging.channels.outgoing import Outgoing, Rendered, RenderedSms
from messaging.channels.smpp.driver import SmppDriver
from messaging_carrier import Carrier


class Hearing:
    """A listener; while `failing` it stores nothing."""

    def __init__(self) -> None:
        self.heard_receipts: list[Receipt] = []
        self.heard_texts: list[InboundText] = []
        self.heard_parts: list[InboundPart] = []
        self.failing = False

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        if self.failing:
            raise OSError("the database is away")
        self.heard_receipts += batch

    async def inbound(self, batch: Sequence[InboundText]) -> None:
        if self.failing:
            raise OSError("the database is away")
        self.heard_texts += batch

    async def parts(self, batch: Sequence[InboundPart]) -> None:
        if self.failing:
            raise OSError("the database is away")
        self.heard_parts += batch


@pytest.fixture
def hearing() -> Hearing:
    return Hearing()


@pytest.fixture
def outgoing() -> Callable[..., Outgoing]:
    """Makes a message: number, content or text, origination."""

    def make(
        number: int,
        content: Rendered | str = "hello",
        address: str | None = None,
        origination: str = "12345",
    ) -> Outgoing:
        rendered = RenderedSms(content, segment(content)) if isinstance(content, str) else content
        return Outgoing(UUID(int=number), address or f"+49170{number:07}", origination, rendered)

    return make


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    carrier = Carrier()
    async with carrier.smsc:
        carrier.port = await carrier.smsc.start()
        yield carrier


@pytest.fixture
async def driver(carrier: Carrier, hearing) -> AsyncIterator[SmppDriver]:
    driver = SmppDriver(carrier.channel(), hearing)
    await driver.open()
    await eventually(lambda: driver.ready)
    yield driver
    await driver.close()
