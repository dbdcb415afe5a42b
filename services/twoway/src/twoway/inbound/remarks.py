"""What is odd about texts, in the contract's words. Pure."""

import unicodedata
from collections.abc import Iterator

from twoway import addresses

EMPTY, TRUNCATED, UNREADABLE = "EMPTY", "TRUNCATED", "UNREADABLE"
INCOMPLETE, MMS = "INCOMPLETE", "MMS"
SENDER_IS_DESTINATION, SHORT_CODE_SENDER = "SENDER_IS_DESTINATION", "SHORT_CODE_SENDER"
ALPHANUMERIC_SENDER, NUMBER_NOT_REGISTERED = "ALPHANUMERIC_SENDER", "NUMBER_NOT_REGISTERED"
REPLY_WITHHELD = "REPLY_WITHHELD"

_LAYOUT = frozenset("\n\r\t\f")
_UNREAD = "\ufffd"
"""Stands for octets that are no text."""


def of_words(text: str, characters_max: int) -> Iterator[str]:
    """What is odd about the words, as they came."""
    if not text.strip():
        yield EMPTY
    if len(text) > characters_max:
        yield TRUNCATED
    if _UNREAD in text or (not text.isprintable() and any(map(_is_control, text))):
        yield UNREADABLE


def of_addresses(source: str, destination: str, *, registered: bool) -> Iterator[str]:
    """What is odd about who wrote to whom, both in canonical form."""
    if source == destination:
        yield SENDER_IS_DESTINATION
    if not addresses.is_phone(source):
        yield ALPHANUMERIC_SENDER
    elif not source.startswith("+"):
        yield SHORT_CODE_SENDER
    if not registered:
        yield NUMBER_NOT_REGISTERED


def _is_control(character: str) -> bool:
    """Whether it is no character of a text, nor one that lays it out."""
    return unicodedata.category(character) == "Cc" and character not in _LAYOUT
