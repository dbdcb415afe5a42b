"""What the endpoint itself decides, before anyone is asked. Pure."""

from collections.abc import Container
from typing import Final

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.obstacles import obstacles

_NONE: Final = Reason.REASON_UNSPECIFIED


def obstacle(
    endpoint: Endpoint,
    purpose: Purpose.ValueType,
    said: Container[ChannelType.ValueType],
    configured: Container[ChannelType.ValueType],
    topic: str = "",
) -> Reason.ValueType:
    """The first reason why nothing can be sent to the endpoint; unspecified when something can."""
    return next(obstacles(endpoint, purpose, said, configured, topic), _NONE)


def identity(origination: str) -> str:
    """The bare identity of an origination: `+14155550123` of `…/phoneNumbers/+14155550123`."""
    named = origination.startswith("applications/")
    return origination.rpartition("/")[2] if named else origination
