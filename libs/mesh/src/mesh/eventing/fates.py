"""What becomes of a message whose handler failed. Pure."""

from enum import Enum

from google.protobuf.message import DecodeError
from mesh.errors import Error
from mesh.eventing.delivery import Later
from mesh.store import failures
from nats.errors import Error as NatsError

PASSING_CODES = frozenset(
    {"UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED"}
)
"""Someone else's condition, which passes: the message itself is not to blame."""

UNKNOWN_CODES = frozenset({"INTERNAL", "UNKNOWN", "CANCELLED", "DATA_LOSS"})
"""Says nothing about whether another attempt would succeed."""


class Fate(Enum):
    """The answers to a failed handling."""

    LATER = "later"
    """The handler asked for it: deliver again after its delay."""
    WAIT = "wait"
    """Something it needs is away: hold the message and try again, however long that takes."""
    RETRY = "retry"
    """Nobody knows: deliver again with growing delay, a limited number of times."""
    DEAD = "dead"
    """It can never succeed: a dead letter."""


def judge(error: BaseException) -> Fate:
    """The fate that an exception from a handler means."""
    if isinstance(error, Later):
        return Fate.LATER
    if isinstance(error, Error):
        return _judge_code(error.code)
    if isinstance(error, DecodeError):
        return Fate.DEAD
    if isinstance(error, NatsError) or failures.is_transient(error):
        return Fate.WAIT
    return Fate.RETRY


def _judge_code(code: str) -> Fate:
    if code in PASSING_CODES:
        return Fate.WAIT
    return Fate.RETRY if code in UNKNOWN_CODES else Fate.DEAD
