"""Endpoints, batches and requests for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1 import message_service_pb2
from heliograph.messaging.v1.content_pb2 import MessageContent, Purpose, SmsContent
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from messaging.render import timestamp

APPLICATION = "shop"
PARENT = f"applications/{APPLICATION}"
RUN = f"{PARENT}/campaigns/spring/runs/r1"
START = datetime.now(UTC).replace(microsecond=0)


def number(index: int) -> str:
    """A phone number."""
    return f"+1415555{index:04}"


def endpoint(index: int, **fields: Any) -> Endpoint:
    """An endpoint with a phone number of its own."""
    made = Endpoint(
        name=f"{PARENT}/endpoints/e{index}",
        channel_type=ChannelType.SMS,
        address=number(index),
        status=Endpoint.ACTIVE,
        opt_out=Endpoint.NONE,
    )
    made.user.user_id = f"u{index}"
    made.user.attributes["FirstName"].values.append(f"Ann{index}")
    made.MergeFrom(Endpoint(**fields))
    return made


def content(body: str = "Hello {{User.UserAttributes.FirstName.[0]}}") -> MessageContent:
    """A text message."""
    return MessageContent(sms=SmsContent(body=body))


def batch(
    endpoints: Sequence[Endpoint], batch_id: str = "b1", said: str | None = None, **fields: Any
) -> SendBatch:
    """A page of a run."""
    made = SendBatch(
        batch_id=batch_id,
        application=APPLICATION,
        run=RUN,
        source=RUN,
        source_time=timestamp(START),
        purpose=Purpose.PROMOTIONAL,
        treatments=[
            SendBatch.Treatment(treatment="A", content=content(said) if said else content())
        ],
        recipients=[
            SendBatch.Recipient(endpoint=one, key=one.name.rpartition("/")[2]) for one in endpoints
        ],
    )
    for name, value in fields.items():
        if isinstance(value, (str, int)):
            setattr(made, name, value)
        else:
            getattr(made, name).CopyFrom(value)
    return made


def send_request(*recipients: Any, **fields: Any) -> message_service_pb2.SendMessagesRequest:
    """A direct send."""
    fields.setdefault("content", content())
    fields.setdefault("purpose", Purpose.TRANSACTIONAL)
    return message_service_pb2.SendMessagesRequest(
        parent=PARENT,
        recipients=[to(one) if isinstance(one, str) else one for one in recipients],
        **fields,
    )


def to(address: str, channel_type: int = ChannelType.SMS, **fields: Any) -> Any:
    """A recipient by bare address."""
    return message_service_pb2.Recipient(
        address=message_service_pb2.Recipient.Address(channel_type=channel_type, address=address),
        **fields,
    )
