"""How long to wait before another attempt. Pure."""

from dataclasses import dataclass

DOUBLINGS_MAX = 16
"""More would say nothing but overflow."""


@dataclass(frozen=True)
class Backoff:
    """`first_seconds` after the first attempt, twice as long after each other, to `max_seconds`."""

    first_seconds: float
    max_seconds: float

    def after(self, attempt: int, *, asked_seconds: float | None = None) -> float:
        """Seconds to wait after attempt `attempt` (from 1); what was asked for, if longer."""
        doublings = min(max(attempt, 1) - 1, DOUBLINGS_MAX)
        delay: float = min(self.first_seconds * 2**doublings, self.max_seconds)
        return max(delay, asked_seconds or 0.0)
