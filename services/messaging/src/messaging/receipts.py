"""Which state may follow which, when a provider reports. Pure.

Receipts arrive twice, late and in the wrong order; a table decides what each still changes.
"""

from typing import TypeAlias

from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason

State: TypeAlias = Message.State.ValueType

FOLLOWS: dict[State, frozenset[State]] = {
    # Accepted cannot be reported on, except for a message that is being sent again.
    Message.ACCEPTED: frozenset({Message.SENT, Message.DELIVERED, Message.FAILED}),
    # The receipt was faster than our record of the provider's answer.
    Message.HANDING: frozenset({Message.SENT, Message.DELIVERED, Message.FAILED}),
    Message.SENT: frozenset({Message.DELIVERED, Message.FAILED}),
    # The receipt settles what a crash hid.
    Message.UNKNOWN: frozenset({Message.SENT, Message.DELIVERED, Message.FAILED}),
    # Final: the first final word stands.
    Message.DELIVERED: frozenset(),
    Message.FAILED: frozenset(),
    Message.SKIPPED: frozenset(),
}

_GUESSED = frozenset({Message.SENT, Message.DELIVERED, Message.FAILED})
"""A message given up as OUTCOME_UNKNOWN was a guess, and a receipt knows better."""

_RANK: dict[State, int] = {Message.SENT: 0, Message.FAILED: 1, Message.DELIVERED: 2}


def may_follow(state: State, reason: Reason.ValueType, reported: State) -> bool:
    """Whether a receipt of `reported` changes a message in `state` with `reason`."""
    if state == Message.FAILED and reason == Reason.OUTCOME_UNKNOWN:
        return reported in _GUESSED
    return reported in FOLLOWS[state]


def strongest(reported: State, other: State) -> State:
    """What two receipts of one message that arrive together say: the final word, if any."""
    return max(reported, other, key=_RANK.__getitem__)


def reason_for(reported: State) -> Reason.ValueType:
    """The reason that a message gets by a receipt."""
    return Reason.UNDELIVERABLE if reported == Message.FAILED else Reason.REASON_UNSPECIFIED
