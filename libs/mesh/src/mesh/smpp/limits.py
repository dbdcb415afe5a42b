"""The bounds of a session."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times follow the timers of SMPP 3.4, 7.2; sizes keep a peer from costing memory."""

    window: int = 64
    """Requests in flight at once; carriers state theirs in the contract."""
    response_timeout_seconds: float = 30.0
    enquire_link_seconds: float = 30.0
    """Silence after which the peer is asked whether it is still there."""
    bind_timeout_seconds: float = 10.0
    pdu_octets_max: int = 70_000
    batch_max: int = 500
    """Requests of the peer that are handed over at once."""
    waiting_max: int = 10_000
    """Requests of the peer that may wait for the handler."""

    @property
    def tick_seconds(self) -> float:
        """How often the timers are looked at: late by a quarter of the shortest at most."""
        shortest = min(
            self.response_timeout_seconds, self.enquire_link_seconds, self.bind_timeout_seconds
        )
        return min(1.0, shortest / 4)
