"""What a mail server's answer means for a message (RFC 5321, 4.2; RFC 3463). Pure."""

import re

from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.channels.outcomes import Later, Refused

DEFERRED_RETRY_SECONDS = 30.0
"""After a 4xx: greylisting servers want to see us again, and not at once."""

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")

_NO_SUCH_ADDRESS = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.6.7"})
"""The address is wrong. Everything else, such as 5.7.515, is about us or about the mail, and says
nothing against the recipient."""


def refusal(code: int, words: str) -> Later | Refused:
    """What an answer other than acceptance means; only 5xx is for good."""
    if code < 500:
        return Later(DEFERRED_RETRY_SECONDS, _coded(code, words))
    found = _ENHANCED.search(words)
    is_address = found is not None and found[1] in _NO_SUCH_ADDRESS
    reason = Reason.INVALID_ADDRESS if is_address else Reason.PROVIDER_REFUSED
    return Refused(_coded(code, words), " ".join(words.split()), reason)


def closes(code: int) -> bool:
    """Whether the server ends the connection with this answer."""
    return code == 421


def _coded(code: int, words: str) -> str:
    found = _ENHANCED.search(words)
    return f"{code} {found[1]}" if found else str(code)
