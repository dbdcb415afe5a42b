"""Chooses the identity that a message to a destination should come from. Pure.

Whoever can carry the message is ranked by how close they are to the person; of several alike each
person always gets the same one, so that a conversation stays one, and the load is shared.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

SENDER_ID = "SENDER_ID"
"""What a sender id has in the place of a number's type."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number or sender id that might be chosen.

    `country_code` is empty for a short code of which nobody said where it works.
    """

    name: str
    type: str
    country_code: str
    capabilities: frozenset[str]
    message_types: frozenset[str]
    two_way: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """The message that somebody wants to send; an empty message type fits every identity."""

    destination: str
    country_code: str
    capability: str = "SMS"
    message_type: str = ""
    two_way: bool = False


class Obstacle(StrEnum):
    """Why an identity cannot carry a message, as an explanation says it."""

    SIMULATED = "only simulated"
    CAPABILITY = "without the capability"
    MESSAGE_TYPE = "for another message type"
    ONE_WAY = "cannot be answered"
    COUNTRY = "of a country from which it does not reach there"
    ITSELF = "the destination itself"


@dataclass(frozen=True, slots=True)
class Choice:
    """The identity, and why this one in a sentence; without one, why there is none."""

    candidate: Candidate | None
    explanation: str


# Amazon Pinpoint SMS User Guide, "Choosing a phone number or sender ID": a short code rather than a
# long one. In the United States carriers block long codes without a 10DLC registration, and carry a
# verified toll-free number; elsewhere nobody but its carrier knows what a TEN_DLC is.
_RANKS_US = ("SHORT_CODE", "TEN_DLC", "TOLL_FREE", "LONG_CODE")
_RANKS = ("SHORT_CODE", "LONG_CODE", "TOLL_FREE", "TEN_DLC")
_NAMES = {
    "SHORT_CODE": "a short code",
    "TEN_DLC": "a 10DLC number",
    "TOLL_FREE": "a toll-free number",
    "LONG_CODE": "a long code",
    SENDER_ID: "a sender id",
}


def select(candidates: Iterable[Candidate], wanted: Wanted) -> Choice:
    """The best identity for a message."""
    all_ = list(candidates)
    obstacles = [obstacle(one, wanted) for one in all_]
    fitting = [one for one, found in zip(all_, obstacles, strict=True) if found is None]
    if not fitting:
        counts = Counter(found for found in obstacles if found is not None)
        causes = [f"{count} {cause}" for cause, count in sorted(counts.items())]
        return Choice(None, "; ".join(causes) or "there is no number or sender id")
    best = min(rank(one, wanted) for one in fitting)
    equals = [one for one in fitting if rank(one, wanted) == best]
    chosen = max(equals, key=lambda one: (_weight(one.name, wanted.destination), one.name))
    return Choice(chosen, _explanation(chosen, wanted, len(equals)))


def obstacle(candidate: Candidate, wanted: Wanted) -> Obstacle | None:
    """Why an identity cannot carry the message, or None when it can."""
    checks = (
        (Obstacle.SIMULATED, candidate.type == "SIMULATOR"),
        (Obstacle.ITSELF, candidate.name.endswith(f"/phoneNumbers/{wanted.destination}")),
        (Obstacle.CAPABILITY, wanted.capability not in candidate.capabilities),
        (
            Obstacle.MESSAGE_TYPE,
            bool(wanted.message_type) and wanted.message_type not in candidate.message_types,
        ),
        (Obstacle.ONE_WAY, wanted.two_way and not candidate.two_way),
        (Obstacle.COUNTRY, not reaches(candidate, wanted.country_code)),
    )
    return next((found for found, applies in checks if applies), None)


def reaches(candidate: Candidate, country_code: str) -> bool:
    """Whether an identity works towards a country.

    Sender ids and short codes are registered for one country, toll-free numbers work where their
    calling code does. Every other number reaches everywhere, though not from nearby.
    """
    if candidate.country_code == country_code:
        return True
    if candidate.type == SENDER_ID:
        return False
    if candidate.type == "SHORT_CODE":
        return not candidate.country_code
    if candidate.type == "TOLL_FREE":
        return _calling_code(candidate.country_code) == _calling_code(country_code)
    return True


def rank(candidate: Candidate, wanted: Wanted) -> tuple[int, int]:
    """How good an identity that can carry the message is; less is better.

    A number of the country comes first, as it can be answered with STOP; then its sender id; then
    foreign numbers, and last the short codes of no stated country.
    """
    order = _RANKS_US if wanted.country_code == "US" else _RANKS
    kind = order.index(candidate.type) if candidate.type in order else len(order)
    if not candidate.country_code:
        return 3, kind
    if candidate.type == SENDER_ID:
        return 1, kind
    return (0 if candidate.country_code == wanted.country_code else 2), kind


def _weight(name: str, destination: str) -> bytes:
    """Rendezvous hashing: when identities come or go, only people of those change theirs."""
    return hashlib.blake2b(f"{destination} {name}".encode(), digest_size=8).digest()


def _calling_code(country_code: str) -> int:
    return phonenumbers.country_code_for_region(country_code)


def _explanation(chosen: Candidate, wanted: Wanted, equals: int) -> str:
    kind = _NAMES[chosen.type]
    there = wanted.country_code or "a country that is not known"
    if not chosen.country_code:
        text = f"{kind} of no stated country, as nothing else reaches {there}"
    elif chosen.country_code == wanted.country_code:
        text = f"{kind} of {there}"
    else:
        text = f"{kind} of {chosen.country_code}, as nothing of {there} fits"
    if equals > 1:
        text += f"; one of {equals} alike, and always this one for this destination"
    return text
