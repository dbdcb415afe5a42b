"""What the endpoint itself decides, before anyone is asked. Pure."""

from collections.abc import Container
from typing import Final

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.obstacles import obstacles

_NONE: Final = Reason.REASON_UNSPECIFIED


def obstacle(
    endpoint: Endpoint,
    purpose: int,
    said: Container[ChannelType.ValueType],
    configured: Container[ChannelType.ValueType],
    topic: str = "",
) -> Reason.ValueType:
    """The first reason why nothing can be sent to the endpoint; unspecified when something can."""
    return next(obstacles(endpoint, purpose, said, configured, topic), _NONE)


def identity(origination: str) -> str:
    """The bare identity of an origination: `+14155550123` of `…/phoneNumbers/+14155550123`, `ACME`
    of `…/senderIds/DE-ACME`. A pool is none, and stays what it is."""
    collection, _, name = origination.rpartition("/")
    if not origination.startswith("applications/") or is_to_be_chosen(origination):
        return origination
    return name.partition("-")[2] if collection.endswith("/senderIds") else name


def is_to_be_chosen(origination: str) -> bool:
    """Whether it does not say which number or sender id: empty, or the name of a pool."""
    return not origination or (origination.startswith("applications/") and "/pools/" in origination)
