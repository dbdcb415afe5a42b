"""One spelling for one phone: lists and questions must agree on who is meant."""

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_NUMBER_LIKE = re.compile(r"[+0-9 ().\-/\u00a0\u2010-\u2015]+")
_NOT_DIGIT = re.compile(r"[^0-9]")
_SHORT_CODE_DIGITS_MAX = 8
_ADDRESS_CHARACTERS_MAX = 100


def canonical(address: str) -> str:
    """An address as lists keep it: E.164 with its plus, a short code, or a sender id in lower case.

    Punctuation is dropped; a number without its plus, or with `00` for it, gets one.
    """
    if _E164.fullmatch(address):
        return address
    stripped = address.strip()
    if not _NUMBER_LIKE.fullmatch(stripped):
        return _sender_id(stripped)
    digits = _NOT_DIGIT.sub("", stripped)
    if stripped.startswith("+") or len(digits) > _SHORT_CODE_DIGITS_MAX:
        return "+" + (digits.removeprefix("00") if not stripped.startswith("+") else digits)
    return digits


def is_phone(address: str) -> bool:
    """Whether a canonical address can be written to: E.164 or a short code."""
    return bool(_E164.fullmatch(address)) or (address.isascii() and address.isdigit())


def _sender_id(address: str) -> str:
    """Safe in a resource name: without slashes, of bounded length."""
    return address.casefold().replace("/", "_")[:_ADDRESS_CHARACTERS_MAX]
