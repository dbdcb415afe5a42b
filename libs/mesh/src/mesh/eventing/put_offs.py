"""When to say why deliveries are put off: at once for a new reason, then once a minute.

A reason that lasts puts each of many messages off again and again; a line for each would hide it.
"""

from collections import OrderedDict
from dataclasses import dataclass

TELL_EVERY_SECONDS = 60.0
REASONS_MAX = 100
"""Reasons are few and fixed; one that is not must not grow without end."""


@dataclass(slots=True)
class _Reason:
    untold: int = 0
    told_seconds: float = float("-inf")


class PutOffs:
    """The reasons of one consumer."""

    def __init__(self) -> None:
        self._reasons: OrderedDict[str, _Reason] = OrderedDict()

    def add(self, reason: str, deliveries: int, now_seconds: float) -> int | None:
        """How many deliveries to tell of now, counted since it was last told; None: not now."""
        known = self._reasons.setdefault(reason, _Reason())
        self._reasons.move_to_end(reason)
        if len(self._reasons) > REASONS_MAX:
            self._reasons.popitem(last=False)
        known.untold += deliveries
        if now_seconds - known.told_seconds < TELL_EVERY_SECONDS:
            return None
        told, known.untold, known.told_seconds = known.untold, 0, now_seconds
        return told
