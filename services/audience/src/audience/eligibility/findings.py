"""One reason against a message to an endpoint."""

from dataclasses import dataclass
from datetime import datetime

from heliograph.messaging.v1.reason_pb2 import Reason

from audience.eligibility.answers import Unanswered


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason, with its words; `is_known` tells whether it holds or only may."""

    reason: Reason.ValueType
    detail: str
    since: datetime | None = None
    is_known: bool = True


def unknown(reason: Reason.ValueType, unanswered: Unanswered) -> Finding:
    """That a reason could not be ruled out."""
    return Finding(reason, unanswered.words, is_known=False)
