"""From the answers to a message's parts to what became of the message. Pure."""

from collections.abc import Sequence

from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.smpp import Answer, Outcome, Status, status

from messaging.channels import outcomes

RETRY_SECONDS = 1.0
THROTTLED_RETRY_SECONDS = 0.1
"""The session keeps the pace, and pauses by itself: this is only how soon messages queue again."""

TROUBLE_RETRY_SECONDS = 5.0

_TROUBLE = frozenset({Status.ESME_RSYSERR, Status.ESME_RX_T_APPN, Status.ESME_RINVBNDSTS})
"""The carrier's own trouble, which says nothing of the message."""

_ADDRESS = frozenset({Status.ESME_RINVDSTADR, Status.ESME_RINVDSTTON, Status.ESME_RINVDSTNPI})

_WAITING = frozenset({Outcome.THROTTLED, Outcome.NOT_SENT})


def outcome(answers: Sequence[Answer]) -> outcomes.Outcome:
    """What became of a message of one part or several.

    A refused part settles it, since the text can never be whole. Part taken, part not is unknown:
    the carrier has something of it, so the message is no longer only ours to send.
    """
    if len(answers) == 1 and answers[0].outcome is Outcome.ACCEPTED:
        return outcomes.Sent(answers[0].message_id)
    for answer in answers:
        if _is_refused(answer):
            return _refused(answer.status, answers[-1].message_id)
    kinds = {answer.outcome for answer in answers}
    if kinds == {Outcome.ACCEPTED}:
        return outcomes.Sent(answers[-1].message_id)
    if kinds <= _WAITING | {Outcome.REFUSED}:
        return _later(answers)
    if Outcome.UNKNOWN in kinds:
        return outcomes.Unknown("the carrier did not answer")
    taken = sum(answer.outcome is Outcome.ACCEPTED for answer in answers)
    return outcomes.Unknown(f"the carrier took {taken} of {len(answers)} parts")


def is_partial(answers: Sequence[Answer]) -> bool:
    """Whether the carrier has a part of a message while others may still be sent."""
    kinds = {answer.outcome for answer in answers}
    return (
        Outcome.ACCEPTED in kinds and bool(kinds & _WAITING) and not any(map(_is_refused, answers))
    )


def is_waiting(answer: Answer) -> bool:
    """Whether a part was certainly not taken, and may be sent again."""
    return answer.outcome in _WAITING


def _is_refused(answer: Answer) -> bool:
    return answer.outcome is Outcome.REFUSED and answer.status not in _TROUBLE


def _refused(code: int, provider_message_id: str) -> outcomes.Refused:
    reason = Reason.INVALID_ADDRESS if code in _ADDRESS else Reason.PROVIDER_REFUSED
    return outcomes.Refused(
        status.name(code), reason=reason, provider_message_id=provider_message_id
    )


def _later(answers: Sequence[Answer]) -> outcomes.Later:
    codes = [answer.status for answer in answers if answer.status]
    code = status.name(codes[0]) if codes else "not connected"
    kinds = {answer.outcome for answer in answers}
    if Outcome.REFUSED in kinds:
        return outcomes.Later(TROUBLE_RETRY_SECONDS, code)
    throttled = Outcome.THROTTLED in kinds
    return outcomes.Later(THROTTLED_RETRY_SECONDS if throttled else RETRY_SECONDS, code)
