"""Notices of multimedia messages, which come as binary short messages (OMA MMS 1.3, WAP-230)."""

_PUSH = 0x06
_MMS = 0xBE
"""Well-known content type 0x3E, application/vnd.wap.mms-message, in its short form."""

_MMS_IN_WORDS = b"application/vnd.wap.mms-message"
_HEADERS_OCTETS = 64
_EIGHT_BIT = frozenset({0x02, 0x04})
_EIGHT_BIT_CLASS = 0xF4


def announces_mms(octets: bytes, data_coding: int) -> bool:
    """Whether the octets of a whole message push the notice of a multimedia message.

    They are a transaction id, the type of the PDU, and headers of which the first is the content
    type.
    """
    binary = data_coding in _EIGHT_BIT or data_coding & _EIGHT_BIT_CLASS == _EIGHT_BIT_CLASS
    if not binary or len(octets) < 4 or octets[1] != _PUSH:
        return False
    return _MMS in octets[2:6] or _MMS_IN_WORDS in octets[:_HEADERS_OCTETS]
