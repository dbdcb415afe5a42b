"""What the endpoint itself decides, before anyone is asked. Pure."""

from collections.abc import Container

from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging import addresses

ANSWERS = frozenset({Purpose.OPT_OUT_CONFIRMATION, Purpose.HELP_REPLY})
"""What the law wants answered whatever the recipient has refused (CTIA; 47 CFR 64.1200(a)(12))."""


def obstacle(
    endpoint: Endpoint,
    purpose: Purpose.ValueType,
    said: Container[ChannelType.ValueType],
    configured: Container[ChannelType.ValueType],
) -> Reason.ValueType:
    """Why nothing can be sent to the endpoint; unspecified when something can.

    `said` are the channels there is content for, `configured` those that the application has.
    """
    if endpoint.status == Endpoint.INACTIVE:
        return Reason.ENDPOINT_INACTIVE
    if endpoint.opt_out == Endpoint.ALL and purpose not in ANSWERS:
        return Reason.ENDPOINT_OPTED_OUT
    if not endpoint.address:
        return Reason.MISSING_ADDRESS
    if endpoint.channel_type not in said:
        return Reason.CHANNEL_MISMATCH
    if addresses.normalize(endpoint.channel_type, endpoint.address) is None:
        return Reason.INVALID_ADDRESS
    if endpoint.channel_type not in configured:
        return Reason.CHANNEL_NOT_CONFIGURED
    return Reason.REASON_UNSPECIFIED


def asks_consent(channel_type: int, purpose: int) -> bool:
    """Whether the opt-out list of the origination has to be asked."""
    return channel_type in addresses.PHONE_CHANNELS and purpose not in ANSWERS


def asks_suppression(purpose: int) -> bool:
    """Whether the suppression list counts."""
    return purpose not in ANSWERS


def identity(origination: str) -> str:
    """The bare identity of an origination: `+14155550123` of `…/phoneNumbers/+14155550123`."""
    named = origination.startswith("applications/")
    return origination.rpartition("/")[2] if named else origination
