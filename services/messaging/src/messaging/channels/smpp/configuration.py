"""What a channel says about its carrier, with the defaults filled in."""

import ssl
from dataclasses import dataclass

from heliograph.messaging.v1.channel_pb2 import Channel, SmppProvider
from mesh.smpp import Bind, Carrier, Limits

PORT_DEFAULT = 2775
WINDOW_DEFAULT = 64
CONNECTIONS_DEFAULT = 1
ENQUIRE_LINK_SECONDS_DEFAULT = 30
RESPONSE_TIMEOUT_SECONDS = 30.0
SUBMIT_SECONDS_MAX = 30.0
"""How long a set may take to be written; what is left of it then is for later."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A carrier for one of several connections, and how messages are shaped for it."""

    carrier: Carrier
    connections: int
    window: int
    rate_per_second: float
    long_messages: SmppProvider.LongMessages.ValueType
    registered_delivery: int


_REGISTERED_DELIVERY = {
    SmppProvider.RECEIPTS_UNSPECIFIED: 1,
    SmppProvider.FINAL: 1,
    SmppProvider.FAILURE: 2,
    SmppProvider.NONE: 0,
}


def read(channel: Channel) -> Configuration:
    """Reads a channel whose secrets are in clear. The rate is shared by its connections."""
    provider = channel.smpp
    connections = provider.connections or CONNECTIONS_DEFAULT
    window = provider.window or WINDOW_DEFAULT
    carrier = Carrier(
        host=provider.host,
        port=provider.port or PORT_DEFAULT,
        bind=Bind(provider.system_id, provider.password, provider.system_type),
        submits_per_second=channel.rate_per_second / connections or float("inf"),
        limits=Limits(
            window=window,
            response_timeout_seconds=RESPONSE_TIMEOUT_SECONDS,
            enquire_link_seconds=provider.enquire_link_seconds or ENQUIRE_LINK_SECONDS_DEFAULT,
        ),
        tls=ssl.create_default_context() if provider.tls else None,
    )
    return Configuration(
        carrier=carrier,
        connections=connections,
        window=window * connections,
        rate_per_second=channel.rate_per_second,
        long_messages=provider.long_messages,
        registered_delivery=_REGISTERED_DELIVERY[provider.receipts],
    )
