"""Cuts a stream of octets into PDUs by command_length, within a bound."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct(">LLLL")


class Frame(NamedTuple):
    """A PDU whose body has not been read yet."""

    command: int
    status: int
    sequence: int
    body: bytes


class FramingError(Exception):
    """The stream cannot be followed any further: where the next PDU begins is unknown."""

    def __init__(self, command_length: int, sequence: int) -> None:
        super().__init__(f"command_length {command_length} is out of bounds")
        self.sequence = sequence


class Framer:
    """Collects octets until they make frames of at most `octets_max`."""

    def __init__(self, octets_max: int) -> None:
        self._octets_max = octets_max
        self._rest = b""

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """Yields each frame that `octets` complete; raises FramingError after the last good one."""
        octets = self._rest + octets if self._rest else octets
        position, end = 0, len(octets)
        self._rest = b""
        while end - position >= HEADER.size:
            length, command, status, sequence = HEADER.unpack_from(octets, position)
            if not HEADER.size <= length <= self._octets_max:
                raise FramingError(length, sequence)
            if end - position < length:
                break
            body = octets[position + HEADER.size : position + length]
            position += length
            yield Frame(command, status, sequence, body)
        self._rest = octets[position:]
