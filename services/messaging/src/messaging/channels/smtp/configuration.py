"""What a channel says about its mail server, with the defaults filled in."""

import socket
import ssl
from dataclasses import dataclass

from heliograph.messaging.v1.channel_pb2 import Channel, SmtpProvider
from mesh.backoff import Backoff

PORT_DEFAULT = 587
CONNECTIONS_DEFAULT = 4
COMMAND_TIMEOUT_SECONDS = 30.0
RECONNECT = Backoff(first_seconds=0.5, max_seconds=30.0)
IDLE_SECONDS_MAX = 60.0
"""A connection unused for so long is made anew: servers close theirs after some minutes."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A mail server."""

    host: str
    port: int
    username: str
    password: str
    use_tls: bool
    start_tls: bool
    tls: ssl.SSLContext | None
    local_hostname: str
    connections: int
    rate_per_second: float
    return_path_domain: str


def read(channel: Channel) -> Configuration:
    """Reads a channel whose secrets are in clear. Unless it says otherwise, TLS is a must."""
    provider = channel.smtp
    is_plain = provider.security == SmtpProvider.PLAINTEXT
    use_tls = provider.security == SmtpProvider.TLS
    return Configuration(
        host=provider.host,
        port=provider.port or PORT_DEFAULT,
        username=provider.username,
        password=provider.password,
        use_tls=use_tls,
        start_tls=not (is_plain or use_tls),
        tls=None if is_plain else ssl.create_default_context(),
        local_hostname=socket.gethostname(),
        connections=provider.connections or CONNECTIONS_DEFAULT,
        rate_per_second=channel.rate_per_second,
        return_path_domain=provider.return_path_domain,
    )
