"""How fast requests may go out: a rate that was agreed, and backing off when throttled."""

import math

_BURST_SECONDS = 0.1
_RECOVERY = 0.98


class Pace:
    """A token bucket that also pauses after a throttling answer.

    The pause doubles with each throttled burst up to `pause_seconds_max`, and shrinks with each
    accepted request. Times are those of one monotonic clock, in seconds.
    """

    def __init__(
        self,
        per_second: float = math.inf,
        *,
        pause_seconds_min: float = 0.1,
        pause_seconds_max: float = 5.0,
    ) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second * _BURST_SECONDS)
        self._tokens = self._capacity
        self._refilled_seconds = 0.0
        self._pause_seconds_min = pause_seconds_min
        self._pause_seconds_max = pause_seconds_max
        self._pause_seconds = 0.0
        self._paused_at_seconds = -math.inf
        self._paused_until_seconds = -math.inf

    def allowance(self, wanted: int, now_seconds: float) -> int:
        """Returns how many of `wanted` requests may go now."""
        if now_seconds < self._paused_until_seconds:
            return 0
        if self._per_second == math.inf:
            return wanted
        self._refill(now_seconds)
        return min(wanted, int(self._tokens))

    def spend(self, count: int) -> None:
        """Counts requests as gone."""
        if self._per_second != math.inf:
            self._tokens -= count

    def wait_seconds(self, now_seconds: float) -> float:
        """Returns how long until something is allowed again; 0 if it does now."""
        paused = self._paused_until_seconds - now_seconds
        if self._per_second == math.inf:
            return max(0.0, paused)
        self._refill(now_seconds)
        return max(0.0, paused, (1.0 - self._tokens) / self._per_second)

    def throttled(self, sent_at_seconds: float, now_seconds: float) -> None:
        """Pauses, unless the request left before the last pause: one burst is one lesson."""
        if sent_at_seconds <= self._paused_at_seconds:
            return
        doubled = max(self._pause_seconds_min, self._pause_seconds * 2)
        self._pause_seconds = min(self._pause_seconds_max, doubled)
        self._paused_at_seconds = now_seconds
        self._paused_until_seconds = now_seconds + self._pause_seconds

    def accepted(self) -> None:
        """Shortens the next pause."""
        self._pause_seconds *= _RECOVERY

    def _refill(self, now_seconds: float) -> None:
        gained = (now_seconds - self._refilled_seconds) * self._per_second
        self._tokens = min(self._capacity, self._tokens + gained)
        self._refilled_seconds = now_seconds
