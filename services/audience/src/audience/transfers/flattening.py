"""Records as cells: the columns of CSV and Parquet, in the headers that an import reads."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from heliograph.endpoint_records import DEMOGRAPHIC, LOCATION

_SINGLE: Final = (
    *("Id", "ChannelType", "Address", "OptOut", "EndpointStatus", "CreationDate", "EffectiveDate"),
    *(f"Demographic.{name}" for name in DEMOGRAPHIC.values()),
    *(f"Location.{name}" for name in LOCATION.values()),
    "User.UserId",
)
_OPEN: Final = ("Attributes.", "Metrics.", "User.UserAttributes.")
_NUMBERS: Final = ("Metrics.", "Location.Latitude", "Location.Longitude")
_LISTS: Final = ("Attributes.", "User.UserAttributes.", "RefusedTopics")

Flat = dict[str, list[Any]]


def flat(record: dict[str, Any]) -> Flat:
    """The values of a record by header; empty texts are left out, as an import reads them."""
    user = record.get("User", {})
    found: Flat = {name: [record[name]] for name in _SINGLE if record.get(name)}
    found |= _prefixed("Demographic.", record)
    found |= _prefixed("Location.", record)
    found |= _prefixed("Metrics.", record)
    if user:
        found["User.UserId"] = [user["UserId"]]
    for prefix, lists in (
        ("Attributes.", record.get("Attributes", {})),
        ("User.UserAttributes.", user.get("UserAttributes", {})),
    ):
        for name, values in lists.items():
            found[prefix + name] = [value for value in values if value]
    if "RefusedTopics" in record:
        found["RefusedTopics"] = record["RefusedTopics"]
    return found


class Shape:
    """The headers that some records need, and how many cells of each."""

    def __init__(self) -> None:
        self._widths: dict[str, int] = dict.fromkeys(("Id", "ChannelType", "Address"), 1)

    def add(self, cells: Flat) -> None:
        """Make room for a record."""
        widths = self._widths
        for header, values in cells.items():
            if len(values) > widths.get(header, 0):
                widths[header] = len(values)

    def columns(self) -> list[tuple[str, int]]:
        """Headers and how often each, those of Pinpoint first, then the application's by name."""
        places = {header: place for place, header in enumerate(_SINGLE)}
        order = sorted(self._widths, key=lambda header: (places.get(header, len(places)), header))
        return [(header, self._widths[header]) for header in order]


def header_row(columns: Iterable[tuple[str, int]]) -> list[str]:
    """The header of a CSV file."""
    return [header for header, width in columns for _ in range(width)]


def row(cells: Flat, columns: Iterable[tuple[str, int]]) -> Iterator[str]:
    """The row of a CSV file."""
    for header, width in columns:
        values = cells.get(header, [])
        yield from (value if isinstance(value, str) else repr(value) for value in values)
        for _ in range(width - len(values)):
            yield ""


def is_number(header: str) -> bool:
    """Whether a column holds numbers."""
    return header.startswith(_NUMBERS)


def is_list(header: str) -> bool:
    """Whether a column holds lists."""
    return header.startswith(_LISTS)


def _prefixed(prefix: str, record: dict[str, Any]) -> Flat:
    part = record.get(prefix[:-1], {})
    return {prefix + name: [value] for name, value in part.items()}
