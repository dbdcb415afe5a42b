"""The deadline of the request in work, so that calls it makes do not outlive it."""

import time
from contextvars import ContextVar

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def enter(remaining_seconds: float | None) -> None:
    """Note how long the caller of this task still waits; None when it waits for ever."""
    _deadline.set(None if remaining_seconds is None else time.monotonic() + remaining_seconds)


def remaining_seconds() -> float | None:
    """How long the caller of the request in work still waits; None without a deadline."""
    deadline = _deadline.get()
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)
