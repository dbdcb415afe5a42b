"""Optional parameters: tag, length, value (SMPP 3.4, 5.3)."""

import struct
from enum import IntEnum

from mesh.smpp.status import Status

Tlvs = dict[int, bytes]
"""Values by tag; of a repeated tag the last counts, unknown tags are kept and ignored."""

_HEADER = struct.Struct(">HH")


class Tag(IntEnum):
    """The tags that are read or written here."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class FieldError(ValueError):
    """A field that breaks the standard; `status` is the answer the standard has for it."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status


def encode(tlvs: Tlvs) -> bytes:
    """Returns the parameters in the order of the dictionary."""
    return b"".join(_HEADER.pack(tag, len(value)) + value for tag, value in tlvs.items())


def decode(octets: bytes, position: int = 0) -> Tlvs:
    """Returns the parameters from `position` to the end; raises FieldError if cut short."""
    tlvs: Tlvs = {}
    while position < len(octets):
        start = position + _HEADER.size
        if start > len(octets):
            raise FieldError(Status.ESME_RINVOPTPARSTREAM, "an optional parameter is cut short")
        tag, length = _HEADER.unpack_from(octets, position)
        position = start + length
        if position > len(octets):
            raise FieldError(Status.ESME_RINVPARLEN, f"parameter 0x{tag:04X} is cut short")
        tlvs[tag] = octets[start:position]
    return tlvs


def text(value: bytes) -> str:
    """Returns a C-octet string value; the closing NUL is often forgotten by carriers."""
    return value.split(b"\0", 1)[0].decode("latin-1")


def octets(value: str) -> bytes:
    """Returns `value` as a C-octet string."""
    return value.encode("latin-1") + b"\0"
