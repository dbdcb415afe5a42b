"""What hears a channel's driver: receipts and inbound texts, with their application."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mesh.telemetry import tracing

from messaging.channels.inbound import InboundPart, InboundText, Receipt
from messaging.inbound import Inbound
from messaging.long_texts.long_texts import LongTexts
from messaging.receiving import Receiving


@dataclass(frozen=True, slots=True)
class ChannelListener:
    """The listener of one channel. The application is the channel's, whatever the number."""

    application: str
    channel_id: str
    receiving: Receiving
    inbound_texts: Inbound
    long_texts: LongTexts

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        """Stores what the provider says became of messages."""
        await self.receiving.receive(self.application, batch)

    async def inbound(self, batch: Sequence[InboundText]) -> None:
        """Stores texts that people wrote."""
        name = f"applications/{self.application}/channels/{self.channel_id}"
        with tracing.tracer.start_as_current_span("receive texts"):
            await self.inbound_texts.receive(self.application, name, batch)

    async def parts(self, batch: Sequence[InboundPart]) -> None:
        """Stores parts of long texts."""
        name = f"applications/{self.application}/channels/{self.channel_id}"
        with tracing.tracer.start_as_current_span("receive parts of texts"):
            await self.long_texts.receive(self.application, name, batch, datetime.now(UTC))
