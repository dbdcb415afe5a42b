"""Notices that a peer has gone without saying so (enquire_link, SMPP 3.4, 2.7.2 and 4.11)."""

from enum import Enum

from mesh.smpp.limits import Limits


class Verdict(Enum):
    """What silence means."""

    WELL = "well"
    ASK = "ask"
    GONE = "gone"


class Watch:
    """Asks after silence, and gives up when the question is not answered either."""

    def __init__(self, limits: Limits, now_seconds: float) -> None:
        self._limits = limits
        self._heard_seconds = now_seconds
        self._asked_seconds: float | None = None

    def heard(self, now_seconds: float) -> None:
        """Anything the peer says shows that it is there."""
        self._heard_seconds = now_seconds
        self._asked_seconds = None

    def look(self, now_seconds: float) -> Verdict:
        """Returns what to do now; ASK is said once per silence."""
        if self._asked_seconds is not None:
            overdue = now_seconds - self._asked_seconds > self._limits.response_timeout_seconds
            return Verdict.GONE if overdue else Verdict.WELL
        if now_seconds - self._heard_seconds < self._limits.enquire_link_seconds:
            return Verdict.WELL
        self._asked_seconds = now_seconds
        return Verdict.ASK
