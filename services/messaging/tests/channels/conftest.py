"""What every driver test needs: a listener that keeps what it hears, and messages to hand over."""

from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

import pytest
from mesh.sms import segment
from mesh.testkit.waiting import eventually
from messaging.channels.inbound import InboundText, Receipt
from messaging.channels.outgoing import Outgoing, Rendered, RenderedSms
from messaging.channels.smpp.driver import SmppDriver
from messaging.channels.smpp.texts import HOLD_SECONDS
from messaging_carrier import Carrier


class Hearing:
    """A listener; while `failing` it stores nothing."""

    def __init__(self) -> None:
        self.heard_receipts: list[Receipt] = []
        self.heard_texts: list[InboundText] = []
        self.failing = False

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        if self.failing:
            raise OSError("the database is away")
        self.heard_receipts += batch

    async def inbound(self, batch: Sequence[InboundText]) -> None:
        if self.failing:
            raise OSError("the database is away")
        self.heard_texts += batch


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
def hold_seconds() -> float:
    """How long a part of a text waits for the others."""
    return HOLD_SECONDS


@pytest.fixture
async def driver(carrier: Carrier, hearing, hold_seconds: float) -> AsyncIterator[SmppDriver]:
    driver = SmppDriver(carrier.channel(), hearing, hold_seconds=hold_seconds)
    await driver.open()
    await eventually(lambda: driver.ready)
    yield driver
    await driver.close()
