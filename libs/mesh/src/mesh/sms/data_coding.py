"""What the octets of a short message mean, by SMPP data_coding (SMPP 3.4, 5.2.19)."""

from enum import IntEnum

from mesh.sms import gsm7


class DataCoding(IntEnum):
    """The encodings of text that are understood here."""

    DEFAULT = 0
    """The GSM 7-bit default alphabet, unpacked; what carriers call the SMSC default."""
    IA5 = 1
    LATIN1 = 3
    UCS2 = 8


_CODECS = {DataCoding.IA5: "ascii", DataCoding.LATIN1: "latin-1", DataCoding.UCS2: "utf-16-be"}
_MESSAGE_CLASS_GROUP = 0xF0
_EIGHT_BIT = 0x04


def encode(text: str, data_coding: int) -> bytes:
    """Returns the octets of `text`; raises ValueError if they cannot say it."""
    if data_coding == DataCoding.DEFAULT:
        septets = gsm7.encode(text)
        if septets is None:
            raise ValueError("the text has characters outside the GSM 7-bit alphabet")
        return septets
    return text.encode(_CODECS[DataCoding(data_coding)])


def decode(octets: bytes, data_coding: int) -> str:
    """Returns the text of what a carrier sent; never fails, since it must not be lost.

    Codings that carry no text are read as Latin-1, so that each octet can be had back.
    """
    if _is_gsm7(data_coding):
        return gsm7.decode(octets)
    if data_coding == DataCoding.UCS2:
        return octets.decode("utf-16-be", "replace")
    if data_coding == DataCoding.IA5:
        return octets.decode("ascii", "replace")
    return octets.decode("latin-1")


def _is_gsm7(data_coding: int) -> bool:
    """Group 1111 is a message class, with 7-bit text unless its third bit is set (23.038, 4)."""
    if data_coding & _MESSAGE_CLASS_GROUP == _MESSAGE_CLASS_GROUP:
        return not data_coding & _EIGHT_BIT
    return data_coding == DataCoding.DEFAULT
