"""E.164 numbers, checked fast: most need one pattern and one table look-up.

The rule is that of `phonenumbers.is_possible_number`: the country calling code exists, and the
number is as long as numbers there are. A test holds the fast way against the library.
"""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat, ValidationResult

# A national part that begins with 0 is a trunk prefix nearly everywhere, and one that is too short
# may be a local form (Norfolk Island); the library knows where.
_PLAIN: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_CODE_DIGITS_MAX: Final = 3
_DIALLED: Final = re.compile(r"[-0-9 ()./\u00a0]{4,40}")
_WRITTEN: Final = re.compile(r"\+[-0-9 ()./\u00a0]{6,40}")


def canonical(text: str) -> str | None:
    """The number as E.164 (`+14155550123`), or None when it is none."""
    if _PLAIN.fullmatch(text):
        for digits in range(1, _CODE_DIGITS_MAX + 1):
            lengths = _national_lengths(text[1 : digits + 1])
            if lengths:
                national = text[digits + 1 :]
                if national[0] != "0" and len(national) in lengths:
                    return text
                break
        else:
            return None
    return _parsed(text)


@lru_cache(maxsize=2048)
def _national_lengths(code: str) -> frozenset[int]:
    """How long national numbers of a calling code may be; empty when there is no such code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    if not regions:
        return frozenset()
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    if metadata is None or metadata.general_desc is None:
        return frozenset()
    return frozenset(metadata.general_desc.possible_length)


def national(text: str, country: str) -> str | None:
    """The same for a number without `+`, as it is dialled in the country (two letters)."""
    stripped = text.strip()
    return _read(stripped, country) if _DIALLED.fullmatch(stripped) else None


def _parsed(text: str) -> str | None:
    """The same for numbers with spaces, brackets or a trunk prefix, written internationally."""
    stripped = text.strip()
    return _read(stripped, None) if _WRITTEN.fullmatch(stripped) else None


def _read(text: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != ValidationResult.IS_POSSIBLE or number.extension:
        return None
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
