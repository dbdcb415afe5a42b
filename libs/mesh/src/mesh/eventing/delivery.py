"""A message as its handler sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeVar

from google.protobuf.message import DecodeError, Message
from mesh.errors import InvalidArgument
from mesh.eventing import headers
from nats.aio.msg import Msg

MessageType = TypeVar("MessageType", bound=Message)


@dataclass(frozen=True)
class Delivery:
    """One delivery of one message; `num_delivered` is 1 the first time."""

    data: bytes
    subject: str
    headers: Mapping[str, str]
    num_delivered: int
    stream: str
    sequence: int
    receive_time: datetime
    """When the stream took the message, UTC."""

    @classmethod
    def of(cls, msg: Msg) -> Self:
        """What JetStream says about a message in its reply subject."""
        metadata = msg.metadata
        return cls(
            data=msg.data,
            subject=msg.subject,
            headers=msg.headers or {},
            num_delivered=metadata.num_delivered,
            stream=metadata.stream,
            sequence=metadata.sequence.stream,
            receive_time=metadata.timestamp,
        )

    @property
    def event_id(self) -> str:
        """The id its publisher gave it, the same in every delivery: the inbox's key."""
        return self.headers.get(headers.MESSAGE_ID) or f"{self.stream}:{self.sequence}"

    @property
    def event_time(self) -> datetime:
        """When what it tells happened; when the stream took it, if its publisher did not say."""
        try:
            return datetime.fromisoformat(self.headers[headers.EVENT_TIME])
        except (KeyError, ValueError):
            return self.receive_time

    def parse(self, message_type: type[MessageType]) -> MessageType:
        """The message. Raises InvalidArgument with reason `MESSAGE_MALFORMED`, a dead letter."""
        try:
            return message_type.FromString(self.data)
        except DecodeError:
            name = message_type.DESCRIPTOR.full_name
            raise InvalidArgument(
                "MESSAGE_MALFORMED", f"the body is not a {name}", message_type=name
            ) from None


class Later(Exception):  # noqa: N818  # a wish, not an error
    """Raised by a handler that wants the same delivery again after some seconds.

    `reason` says why, in the log and as a label of a metric: one of few, with nothing variable.
    """

    def __init__(self, seconds: float, reason: str = "not stated") -> None:
        super().__init__(f"{reason}; again in {seconds} s")
        self.seconds = seconds
        self.reason = reason
