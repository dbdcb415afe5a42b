"""What a part does to its text: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID, uuid4

from mesh.sms import data_coding
from mesh.sms.wap_push import announces_mms

from messaging.channels.inbound import InboundPart, InboundText

PARTS_WITHIN = timedelta(minutes=10)
"""How long the parts of a text may take to come."""

ANNOUNCED_WITHIN = timedelta(seconds=5)
"""A whole text that nobody has announced by then was left by a crash."""

GAP = "\u2026"
"""Stands where parts are missing."""

Parts = list[bytes | None]


@dataclass(frozen=True, slots=True)
class LongText:
    """A text of which parts have come; see the table for its fields."""

    key: UUID
    text_id: UUID
    connection: str
    source_address: str
    destination_address: str
    data_coding: int
    parts: Parts
    receive_time: datetime
    due_time: datetime
    announced: bool = False

    @property
    def whole(self) -> bool:
        """Whether all parts are there."""
        return None not in self.parts


@dataclass(slots=True)
class Folded:
    """The texts as they are now, by key, and what happened to the parts."""

    texts: dict[UUID, LongText]
    changed: dict[UUID, LongText] = field(default_factory=dict)
    repeated: int = 0

    def put(self, text: LongText) -> None:
        """A text has changed."""
        self.texts[text.key] = self.changed[text.key] = text


def key_of(connection: str, part: InboundPart) -> UUID:
    """What the parts of a text have in common."""
    content = (
        connection,
        part.source_address,
        part.destination_address,
        *map(str, (part.data_coding, part.reference, part.total)),
    )
    return UUID(bytes=blake2b("\0".join(content).encode(), digest_size=16).digest())


def fold(
    texts: dict[UUID, LongText], connection: str, parts: Sequence[InboundPart], now: datetime
) -> Folded:
    """Put parts to their texts.

    A part that is there already is a repetition. One that differs belongs to a new text with the
    same reference, which carriers use again: the old one, if it was not announced, is due as it is.
    """
    folded = Folded(dict(texts))
    for part in parts:
        key = key_of(connection, part)
        text = folded.texts.get(key)
        held = text.parts[part.sequence - 1] if text else None
        if text is not None and held is not None and _same(held, part.octets):
            folded.repeated += 1
        elif text is not None and held is None and not text.announced:
            folded.put(_with(text, part, now))
        else:
            if text is not None and not text.announced:
                folded.put(replace(text, key=text.text_id, due_time=now))
            folded.put(_with(_new(key, connection, part), part, now))
    return folded


def announced(text: LongText) -> LongText:
    """The text without its words."""
    digests = [part and _digest(part) for part in text.parts]
    return replace(text, parts=digests, announced=True)


def inbound_text(text: LongText) -> InboundText:
    """What is told of a text; where parts are missing, what there is."""
    there = [part for part in text.parts if part is not None]
    return InboundText(
        source_address=text.source_address,
        destination_address=text.destination_address,
        text=_decoded(text),
        receive_time=text.receive_time,
        provider_id=f"parts {text.text_id}",
        parts=len(there),
        incomplete=not text.whole,
        mms=announces_mms(b"".join(there), text.data_coding),
    )


def _decoded(text: LongText) -> str:
    """Parts that follow each other are joined before they are read: some senders cut inside a
    character."""
    runs: list[bytes | None] = []
    for part in text.parts:
        last = runs[-1] if runs else None
        if part is not None and last is not None:
            runs[-1] = last + part
        elif part is not None or not runs or last is not None:
            runs.append(part)
    said = (GAP if run is None else data_coding.decode(run, text.data_coding) for run in runs)
    return "".join(said)


def _new(key: UUID, connection: str, part: InboundPart) -> LongText:
    return LongText(
        key=key,
        text_id=uuid4(),
        connection=connection,
        source_address=part.source_address,
        destination_address=part.destination_address,
        data_coding=part.data_coding,
        parts=[None] * part.total,
        receive_time=part.receive_time,
        due_time=part.receive_time + PARTS_WITHIN,
    )


def _with(text: LongText, part: InboundPart, now: datetime) -> LongText:
    parts = list(text.parts)
    parts[part.sequence - 1] = part.octets
    due_time = text.due_time if None in parts else now + ANNOUNCED_WITHIN
    return replace(text, parts=parts, due_time=due_time)


def _same(held: bytes, octets: bytes) -> bool:
    return held in (octets, _digest(octets))


def _digest(octets: bytes) -> bytes:
    return blake2b(octets, digest_size=16).digest()
