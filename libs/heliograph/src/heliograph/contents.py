"""Which channels a message has something to say on. Pure."""

from collections.abc import Iterable, Mapping

from heliograph.addresses import PUSH_CHANNELS
from heliograph.audience.v1.channel_type_pb2 import ChannelType
from heliograph.messaging.v1.content_pb2 import MessageContent

REACHED: Mapping[str, frozenset[ChannelType.ValueType]] = {
    "sms": frozenset({ChannelType.SMS}),
    "email": frozenset({ChannelType.EMAIL}),
    "push": PUSH_CHANNELS,
    "voice": frozenset({ChannelType.VOICE}),
    "in_app": frozenset({ChannelType.IN_APP}),
    "custom": frozenset({ChannelType.CUSTOM}),
}
"""The channels that each part of a message reaches."""


def reached(contents: Iterable[MessageContent]) -> set[ChannelType.ValueType]:
    """The channels that the contents have a part for; what stored templates add is not known."""
    return {
        channel_type
        for content in contents
        for field, _ in content.ListFields()
        for channel_type in REACHED.get(field.name, ())
    }
