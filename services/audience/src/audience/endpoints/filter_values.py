"""The values that an AIP-160 filter compares with, read by the kind of their field."""

import math
from collections.abc import Mapping
from datetime import datetime

from heliograph import instants
from mesh.aip import filters
from mesh.aip.filters import Restriction
from mesh.errors.refusals import shown


def only(asked: Restriction, parts: int, comparators: tuple[str, ...]) -> None:
    """Refuse another comparison than those, and a path of more parts than the field has."""
    path = ".".join(asked.path)
    if len(asked.path) != parts:
        raise filters.invalid(asked.position, f"{path} is no field of an endpoint")
    if asked.comparator not in comparators:
        known = ", ".join(comparators)
        description = f"{path} cannot be compared by {asked.comparator}; {known} are known"
        raise filters.invalid(asked.position, description)


def enum(asked: Restriction, numbers: Mapping[str, int]) -> int:
    """The number of an enum's value, given by name."""
    found = numbers.get(asked.value)
    if found is None:
        known = ", ".join(numbers)
        raise filters.invalid(asked.value_position, f"{shown(asked.value)} is none of {known}")
    return found


def number(asked: Restriction) -> float:
    """A finite number."""
    try:
        found = float(asked.value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or "_" in asked.value:
        raise filters.invalid(asked.value_position, f"{shown(asked.value)} is not a number")
    return found


def moment(asked: Restriction) -> datetime:
    """An ISO 8601 instant, UTC unless it says otherwise."""
    found = instants.read(asked.value)
    if found is None:
        raise filters.invalid(asked.value_position, f"{shown(asked.value)} is no ISO 8601 instant")
    return found


def plain_text(asked: Restriction, text: str | None = None) -> str:
    """A text that can be stored: PostgreSQL takes neither U+0000 nor lone surrogates."""
    found = asked.value if text is None else text
    if "\0" in found:
        position = asked.value_position if text is None else asked.position
        raise filters.invalid(position, "U+0000 is in no stored text")
    return found
