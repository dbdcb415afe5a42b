"""What a provider reports by itself: receipts, and texts that people wrote."""

from dataclasses import dataclass
from datetime import datetime

from heliograph.messaging.v1.message_pb2 import Message


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider says became of a message.

    `state` is `DELIVERED`, `FAILED`, or `SENT` for an intermediate word such as ENROUTE. The
    message is found by `provider_message_id`; where that was never recorded, because a crash came
    between, by `address` and `reference` together. `reference` is None when the receipt has none.
    """

    provider_message_id: str
    address: str
    state: Message.State.ValueType
    event_time: datetime
    code: str = ""
    """The provider's state and error, for example `UNDELIV 005`."""
    reference: int | None = None


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text that somebody wrote, whole.

    `provider_id` is the carrier's own id of it, empty where it gives none; then the same text from
    the same sender within seconds counts as a repetition.
    """

    source_address: str
    destination_address: str
    text: str
    receive_time: datetime
    provider_id: str = ""
    parts: int = 1
    incomplete: bool = False
    """Parts of it never came."""
    mms: bool = False
    """It is only the notice of a multimedia message."""


@dataclass(frozen=True, slots=True)
class InboundPart:
    """One part of a long text, counted from 1. Parts with the same reference, addresses and total
    belong together."""

    source_address: str
    destination_address: str
    reference: int
    total: int
    sequence: int
    octets: bytes
    data_coding: int
    receive_time: datetime
