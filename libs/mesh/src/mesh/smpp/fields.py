"""The fields of a body: each is bounded, and says with which status its failure is answered."""

from mesh.smpp import tlv
from mesh.smpp.status import Status
from mesh.smpp.tlv import FieldError, Tlvs


def c_octets(text: str, size_max: int, status: Status) -> bytes:
    """Returns `text` without its NUL; `size_max` counts it, as the standard's tables do."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise FieldError(status, "a field has characters outside Latin-1") from None
    if len(octets) >= size_max or b"\0" in octets:
        raise FieldError(status, f"a field of {len(octets)} octets exceeds {size_max - 1}")
    return octets


class Reader:
    """Walks through a body from its first field to its last."""

    __slots__ = ("_body", "_position")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._position = 0

    def text(self, size_max: int, status: Status) -> str:
        """Reads a C-octet string of at most `size_max` octets with its NUL."""
        start = self._position
        end = self._body.find(0, start, start + size_max)
        if end < 0:
            raise FieldError(status, f"a field is not closed within {size_max} octets")
        self._position = end + 1
        return self._body[start:end].decode("latin-1") if end > start else ""

    def octets(self, count: int, status: Status = Status.ESME_RINVCMDLEN) -> bytes:
        """Reads `count` octets; one-octet integers are read together this way."""
        start = self._position
        self._position = start + count
        if self._position > len(self._body):
            raise FieldError(status, "the body is cut short")
        return self._body[start : self._position]

    def tlvs(self) -> Tlvs:
        """Reads the optional parameters, which are all that may follow."""
        if self._position >= len(self._body):
            return {}
        return tlv.decode(self._body, self._position)
