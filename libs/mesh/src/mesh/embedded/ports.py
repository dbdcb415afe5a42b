"""Ports of the loopback interface: finding a free one and noticing a taken one early."""

import random
import socket
from typing import Final

LOOPBACK = "127.0.0.1"

_PORTS: Final = range(10_000, 20_000)
"""Below those that Linux gives to outgoing connections (ip_local_port_range, ip(7)): one of these
would otherwise take a port between its choice and its use. Whoever keeps ports for longer, as a
mesh on one machine does, has a range of its own above."""

_TRIES = 100
_random = random.SystemRandom()
"""Processes that seed `random` alike must not choose alike."""


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on at this moment; another program may still be quicker."""
    for port in _random.sample(_PORTS, _TRIES):
        if is_free(port, host):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could bind `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
