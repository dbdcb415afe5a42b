"""The contract between the pipeline and a provider's driver.

A driver turns rendered messages into a provider's protocol and its answers into outcomes. It knows
nothing of the ledger, of consent or of retries: policy is the pipeline's.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from heliograph.messaging.v1.channel_pb2 import Channel

from messaging.channels.inbound import InboundPart, InboundText, Receipt
from messaging.channels.outcomes import Outcome
from messaging.channels.outgoing import Outgoing


class Listener(Protocol):
    """Hears what a provider reports. Returning means that it is stored; raising means it is not.

    A driver acknowledges to the provider only after the call has returned, and refuses or leaves
    unacknowledged what raised, so that the provider delivers it again. Calls may overlap. Batches
    are at most `BATCH_SIZE_MAX` long; whatever has arrived goes at once, nothing waits for company.
    """

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        """Stores what the provider says became of messages."""

    async def inbound(self, batch: Sequence[InboundText]) -> None:
        """Stores texts that people wrote."""

    async def parts(self, batch: Sequence[InboundPart]) -> None:
        """Stores parts of long texts; their texts are told of when they are whole."""


BATCH_SIZE_MAX = 1000
"""Receipts or texts in one call of a `Listener`."""


Answered = Callable[[], None]
"""Hears that one more message of a set has its answer."""


def nobody() -> None:
    """Hears nothing."""


class Driver(Protocol):
    """One channel's connections to its provider."""

    @property
    def ready(self) -> bool:
        """Whether a message handed over now would be sent now."""

    @property
    def rate_per_second(self) -> float:
        """Messages the provider takes in a second; 0 when nobody knows. The driver paces itself."""

    @property
    def window(self) -> int:
        """Messages that may be under way at the same time over all connections."""

    async def open(self) -> None:
        """Begins to connect and returns at once; lost connections come back by themselves.

        Wrong credentials and an absent provider are logged and tried again with growing delays;
        meanwhile messages are answered `Later`.
        """

    async def close(self) -> None:
        """Waits a bounded time for answers to what is under way, then disconnects."""

    async def hand_over(
        self, messages: Sequence[Outgoing], answered: Answered = nobody, *, urgent: bool = False
    ) -> Sequence[Outcome]:
        """Hands over a set of messages, pipelined; one outcome each, in the same order.

        `answered` is called each time the provider has answered a message; for those that it was
        never asked about, it need not be. An urgent set goes before others that still wait here.
        Never raises for what a provider does; answers within a bounded time whatever happens.
        """

    async def verify(self) -> str:
        """Tries connection and credentials, sending nothing; the provider's words if it refuses."""


DriverFactory = Callable[[Channel, Listener], Driver]
"""Makes a driver from a channel with its secrets in clear. It does not connect yet."""
