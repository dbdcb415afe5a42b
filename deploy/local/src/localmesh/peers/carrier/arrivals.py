"""What comes over a bind: parts read, whole messages put together."""

import time
from dataclasses import dataclass

from mesh.smpp import SubmitSm, long_messages
from mesh.sms import Concatenation, Reassembler, data_coding

from localmesh.peers.carrier.addresses import from_wire


@dataclass(frozen=True, slots=True)
class Part:
    """A submit_sm, read: who, whom, what, and which part of a longer text."""

    submit: SubmitSm
    source: str
    destination: str
    octets: bytes
    text: str
    concatenation: Concatenation | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A text as the phone shows it, with the id of each of its parts."""

    source: str
    destination: str
    text: str
    message_ids: tuple[str, ...]


def read(submit: SubmitSm) -> Part:
    """Reads a message; raises FieldError if its header is broken."""
    concatenation, octets = long_messages.read(submit)
    return Part(
        submit,
        from_wire(submit.source_addr, submit.source_addr_ton),
        from_wire(submit.destination_addr, submit.dest_addr_ton),
        octets,
        data_coding.decode(octets, submit.data_coding),
        concatenation,
    )


class Arrivals:
    """Puts parts together by sender, phone and reference."""

    def __init__(self) -> None:
        self._reassembler: Reassembler[tuple[bytes, str]] = Reassembler(messages_max=100_000)

    def __len__(self) -> int:
        """How many messages lack parts."""
        return len(self._reassembler)

    def take(self, part: Part, message_id: str) -> Whole | None:
        """Returns the message that is whole with this part."""
        if part.concatenation is None:
            return Whole(part.source, part.destination, part.text, (message_id,))
        key = (part.source, part.destination, part.submit.data_coding)
        parts = self._reassembler.add(
            key, part.concatenation, (part.octets, message_id), time.monotonic()
        )
        if parts is None:
            return None
        self._reassembler.forget(key, part.concatenation)
        octets = b"".join(octets for octets, _ in parts)
        text = data_coding.decode(octets, part.submit.data_coding)
        message_ids = tuple(message_id for _, message_id in parts)
        return Whole(part.source, part.destination, text, message_ids)
