"""Cuts a text into the parts a phone receives (3GPP TS 23.040, 9.2.3.24.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from mesh.sms import gsm7
from mesh.sms.data_coding import DataCoding

_SEPTETS_ALONE, _SEPTETS_PER_PART = 160, 153
_OCTETS_ALONE, _OCTETS_PER_PART = 140, 134


class Encoding(Enum):
    """The alphabet that a whole message is sent in."""

    GSM7 = DataCoding.DEFAULT
    UCS2 = DataCoding.UCS2

    @property
    def data_coding(self) -> int:
        """The SMPP data_coding of this alphabet."""
        return int(self.value)


@dataclass(frozen=True, slots=True)
class Segments:
    """A text, encoded and cut.

    `parts` are the octets of each part without a header; `units` counts septets in GSM-7 and
    16-bit code units in UCS-2, as carriers bill them.
    """

    encoding: Encoding
    parts: tuple[bytes, ...]
    units: int


def segment(text: str) -> Segments:
    """Cuts `text` into as few parts as its alphabet allows.

    One character outside GSM-7 turns the whole message into UCS-2. Neither an escape pair nor a
    surrogate pair is cut. A lone surrogate, which is no character, is sent as a question mark.
    """
    septets = gsm7.encode(text)
    if septets is not None:
        return Segments(Encoding.GSM7, _septet_parts(septets), len(septets))
    octets = text.encode("utf-16-be", "replace")
    return Segments(Encoding.UCS2, _ucs2_parts(octets), len(octets) // 2)


def _septet_parts(septets: bytes) -> tuple[bytes, ...]:
    if len(septets) <= _SEPTETS_ALONE:
        return (septets,)
    if gsm7.ESCAPE not in septets:
        return tuple(_slices(septets, _SEPTETS_PER_PART))
    return tuple(_escape_aware_slices(septets))


def _ucs2_parts(octets: bytes) -> tuple[bytes, ...]:
    if len(octets) <= _OCTETS_ALONE:
        return (octets,)
    return tuple(_surrogate_aware_slices(octets))


def _slices(octets: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(octets), size):
        yield octets[start : start + size]


def _escape_aware_slices(septets: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(septets):
        end = start + _SEPTETS_PER_PART
        if end < len(septets) and septets[end - 1] == gsm7.ESCAPE:
            end -= 1
        yield septets[start:end]
        start = end


def _surrogate_aware_slices(octets: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(octets):
        end = start + _OCTETS_PER_PART
        if end < len(octets) and _is_high_surrogate(octets[end - 2]):
            end -= 2
        yield octets[start:end]
        start = end


def _is_high_surrogate(first_octet: int) -> bool:
    return 0xD8 <= first_octet <= 0xDB
