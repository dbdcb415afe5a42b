"""The header that ties the parts of a long message together (3GPP TS 23.040, 9.2.3.24)."""

from typing import NamedTuple

_REFERENCE_8_BIT, _REFERENCE_16_BIT = 0x00, 0x08


class Concatenation(NamedTuple):
    """Which message a part belongs to (`reference`), and where: `sequence` of `total`, from 1."""

    reference: int
    total: int
    sequence: int


def encode(concatenation: Concatenation, *, wide: bool = False) -> bytes:
    """Returns the header with an 8-bit reference, or a 16-bit one if `wide`.

    A part is cut for the 8-bit form (153 septets); the 16-bit form leaves room for 152.
    """
    reference, total, sequence = concatenation
    if wide:
        return bytes((6, _REFERENCE_16_BIT, 4, reference >> 8 & 0xFF, reference & 0xFF)) + bytes(
            (total, sequence)
        )
    return bytes((5, _REFERENCE_8_BIT, 3, reference & 0xFF, total, sequence))


def split(octets: bytes) -> tuple[Concatenation | None, bytes]:
    """Parts header from content; of the header only a valid concatenation is told.

    Raises ValueError if the header is longer than the message or an element longer than it.
    """
    end = octets[0] + 1 if octets else 1
    if end > len(octets):
        raise ValueError("the user data header is longer than the message")
    return _concatenation(octets[1:end]), octets[end:]


def _concatenation(header: bytes) -> Concatenation | None:
    """The last valid element counts; others (ports, formatting) are passed over."""
    found, position = None, 0
    while position + 1 < len(header):
        identifier, length = header[position], header[position + 1]
        content = header[position + 2 : position + 2 + length]
        if len(content) < length:
            raise ValueError("an element is longer than the user data header")
        found = _element(identifier, content) or found
        position += 2 + length
    return found


def _element(identifier: int, content: bytes) -> Concatenation | None:
    if identifier == _REFERENCE_8_BIT and len(content) == 3:
        concatenation = Concatenation(*content)
    elif identifier == _REFERENCE_16_BIT and len(content) == 4:
        concatenation = Concatenation(content[0] << 8 | content[1], content[2], content[3])
    else:
        return None
    return concatenation if 1 <= concatenation.sequence <= concatenation.total else None
