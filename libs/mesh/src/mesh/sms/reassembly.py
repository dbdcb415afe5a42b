"""Puts the parts of long messages together again, in memory and within bounds."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mesh.sms.udh import Concatenation

Part = TypeVar("Part")


@dataclass(slots=True)
class _Partial(Generic[Part]):
    started_seconds: float
    parts: dict[int, Part] = field(default_factory=dict)


class Reassembler(Generic[Part]):
    """Collects parts, octets or more, until their message is whole.

    Parts may come in any order and more than once. A message whose parts do not all come within
    `age_seconds_max` is given up, and so is the oldest when `messages_max` are open: a carrier that
    loses parts must not cost memory.
    """

    def __init__(self, *, age_seconds_max: float = 3600.0, messages_max: int = 10_000) -> None:
        self._age_seconds_max = age_seconds_max
        self._messages_max = messages_max
        self._partials: dict[Hashable, _Partial[Part]] = {}

    def __len__(self) -> int:
        return len(self._partials)

    def holds(self, key: Hashable, concatenation: Concatenation) -> bool:
        """Whether this part has been seen and its message is not forgotten."""
        partial = self._partials.get(_message(key, concatenation))
        return partial is not None and concatenation.sequence in partial.parts

    def add(
        self, key: Hashable, concatenation: Concatenation, part: Part, now_seconds: float
    ) -> tuple[Part, ...] | None:
        """Returns all parts in order once the message is whole, until it is forgotten.

        `key` tells conversations apart (source and destination); the caller joins the octets
        before decoding, since some senders cut inside a character.
        """
        self._give_up_old(now_seconds)
        partial = self._partials.setdefault(_message(key, concatenation), _Partial(now_seconds))
        partial.parts[concatenation.sequence] = part
        if len(partial.parts) < concatenation.total:
            return None
        return tuple(partial.parts[sequence] for sequence in sorted(partial.parts))

    def forget(self, key: Hashable, concatenation: Concatenation) -> None:
        """Drops a message, when it has been handed on."""
        self._partials.pop(_message(key, concatenation), None)

    def _give_up_old(self, now_seconds: float) -> None:
        """Messages stand in order of their first part, so the oldest is always in front."""
        while self._partials:
            message, oldest = next(iter(self._partials.items()))
            expired = now_seconds - oldest.started_seconds > self._age_seconds_max
            if not expired and len(self._partials) < self._messages_max:
                return
            del self._partials[message]


def _message(key: Hashable, concatenation: Concatenation) -> Hashable:
    return key, concatenation.reference, concatenation.total
