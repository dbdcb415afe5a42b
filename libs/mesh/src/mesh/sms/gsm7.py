"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1).

Septets are kept unpacked, one an octet, as SMPP carries them in data_coding 0.
"""

import re

ESCAPE = 0x1B

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_NOT_IN_ALPHABET = "\x80"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class _Septets(dict[int, str]):
    """Answers for foreign characters with an octet that is no septet, which ASCII then refuses."""

    def __missing__(self, code_point: int) -> str:
        return _NOT_IN_ALPHABET


_SEPTETS = _Septets(
    {ord(character): chr(septet) for septet, character in enumerate(_BASIC) if septet != ESCAPE}
    | {ord(character): chr(ESCAPE) + chr(septet) for septet, character in _EXTENSION.items()}
)
_CHARACTERS = dict(enumerate(_BASIC)) | dict.fromkeys(range(0x80, 0x100), _REPLACEMENT)
_ESCAPED = re.compile(b"\x1b(.?)", re.DOTALL)


def encode(text: str) -> bytes | None:
    """Returns the unpacked septets of `text`, or None if a character is not in the alphabet."""
    try:
        return text.translate(_SEPTETS).encode("ascii")
    except UnicodeEncodeError:
        return None


def decode(septets: bytes) -> str:
    """Returns the text of unpacked septets; never fails.

    An unknown escape shows the character of the default table, as 23.038 asks of a phone; an
    octet above 0x7F is no septet and becomes U+FFFD.
    """
    if ESCAPE not in septets:
        return septets.decode("latin-1").translate(_CHARACTERS)
    text, end = [], 0
    for escape in _ESCAPED.finditer(septets):
        text.append(septets[end : escape.start()].decode("latin-1").translate(_CHARACTERS))
        text.append(_escaped(escape[1]))
        end = escape.end()
    text.append(septets[end:].decode("latin-1").translate(_CHARACTERS))
    return "".join(text)


def _escaped(octet: bytes) -> str:
    """A second escape is reserved for further tables, and shown as a space (23.038, 6.2.1.1)."""
    if not octet or octet[0] == ESCAPE:
        return " "
    return _EXTENSION.get(octet[0]) or _CHARACTERS[octet[0]]
