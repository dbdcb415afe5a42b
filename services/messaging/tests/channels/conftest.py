"""What every driver test needs: a listener that keeps what it hears, and messages to hand over."""

from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
from mesh.sms import segment
from messaging.channels.inbound import InboundText, Receipt
from messaging.channels.outgoing import Outgoing, Rendered, RenderedSms


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
