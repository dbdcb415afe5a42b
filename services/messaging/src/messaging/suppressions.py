"""The suppression list's verbs: ids, and what may enter. Pure."""

from typing import Final
from uuid import UUID

from heliograph.audience.v1.channel_type_pb2 import ChannelType

from messaging import addresses

_EVERY_CHANNEL: Final = int(ChannelType.CHANNEL_TYPE_UNSPECIFIED)


def id_for(channel_type: int, address: str) -> str:
    """The id of the entry of an address on a channel, or on every channel (0)."""
    return f"{channel_type}-{addresses.digest(address).hex}"


def ids_of(channel_type: int, address_digest: UUID) -> tuple[str, str]:
    """The ids that suppress a message: on its channel, and on every channel."""
    digest = address_digest.hex
    return f"{channel_type}-{digest}", f"{_EVERY_CHANNEL}-{digest}"
