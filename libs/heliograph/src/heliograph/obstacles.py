"""What the endpoint itself says against a message, before any list is asked. Pure.

Sending takes the first obstacle for its reason; who explains an endpoint lists them all.
"""

from collections.abc import Container, Iterator

from heliograph import addresses
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.reason_pb2 import Reason

ANSWERS = frozenset({Purpose.OPT_OUT_CONFIRMATION, Purpose.HELP_REPLY, Purpose.OPT_IN_QUESTION})
"""What is answered whatever the recipient has refused: the law wants it (CTIA; 47 CFR
64.1200(a)(12)), or they want to come back."""


def obstacles(
    endpoint: Endpoint,
    purpose: int,
    said: Container[ChannelType.ValueType],
    configured: Container[ChannelType.ValueType],
    topic: str = "",
) -> Iterator[Reason.ValueType]:
    """Why nothing can be sent to the endpoint, the weightiest first; none when something can.

    `said` are the channels there is content for, `configured` those that the application has;
    `topic` is the campaign's, and compared character by character.
    """
    if endpoint.status == Endpoint.INACTIVE:
        yield Reason.ENDPOINT_INACTIVE
    if endpoint.opt_out == Endpoint.ALL and purpose not in ANSWERS:
        yield Reason.ENDPOINT_OPTED_OUT
    if topic and topic in endpoint.refused_topics and purpose not in ANSWERS:
        yield Reason.TOPIC_REFUSED
    if not endpoint.address:
        yield Reason.MISSING_ADDRESS
    if endpoint.channel_type not in said:
        yield Reason.CHANNEL_MISMATCH
    if endpoint.address and not _is_valid(endpoint):
        yield Reason.INVALID_ADDRESS
    if endpoint.channel_type not in configured:
        yield Reason.CHANNEL_NOT_CONFIGURED


def asks_consent(channel_type: int, purpose: int) -> bool:
    """Whether the opt-out list of the origination has to be asked."""
    return channel_type in addresses.PHONE_CHANNELS and purpose not in ANSWERS


def asks_suppression(purpose: int) -> bool:
    """Whether the suppression list counts."""
    return purpose not in ANSWERS


def _is_valid(endpoint: Endpoint) -> bool:
    return addresses.normalize(endpoint.channel_type, endpoint.address) is not None
