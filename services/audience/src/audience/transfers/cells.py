"""Rows of cells as patches, by the columns of the header."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from heliograph.audience.v1 import endpoint_pb2 as pb

from audience import channels
from audience.endpoints.patches import Patch
from audience.refusals import invalid, shown
from audience.transfers.headers import Column

OPT_OUTS: Final = {"ALL": pb.Endpoint.ALL, "NONE": pb.Endpoint.NONE, "": 0}
_COORDINATES: Final = ("latitude", "longitude")


class RowReader:
    """Makes a patch of each row. An empty cell supplies nothing."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._width = len(columns)
        self._id = _single(columns, "id")
        self._channel_type = _single(columns, "channel_type")
        self._address = _single(columns, "address")
        self._opt_out = _single(columns, "opt_out")
        self._user_id = _single(columns, "user_id")
        self._attributes = _lists(columns, "attributes")
        self._user_attributes = _lists(columns, "user_attributes")
        self._metrics = _values(columns, "metrics")
        self._demographic = _values(columns, "demographic")
        location = _values(columns, "location")
        self._location = [one for one in location if one[0] not in _COORDINATES]
        self._coordinates = [one for one in location if one[0] in _COORDINATES]

    def patch(self, row: Sequence[str]) -> Patch:
        """What the row supplies; refuses cells that cannot be read, naming the field."""
        if len(row) != self._width:
            description = f"the row has {len(row)} cells, the header {self._width}"
            raise invalid("CELL_COUNT_MISMATCH", "", description)
        patch = Patch(
            endpoint=row[self._id] if self._id >= 0 else "",
            address=(row[self._address] or None) if self._address >= 0 else None,
            attributes=_read_lists(self._attributes, row),
            user_attributes=_read_lists(self._user_attributes, row),
            demographic=_read_texts(self._demographic, row),
            location=_read_texts(self._location, row),
            user_id=(row[self._user_id] or None) if self._user_id >= 0 else None,
        )
        if self._channel_type >= 0:
            patch.channel_type = channel_type(row[self._channel_type])
        if self._opt_out >= 0:
            patch.opt_out = opt_out(row[self._opt_out])
        if self._metrics:
            patch.metrics = _read_numbers(self._metrics, row, "METRIC_INVALID", "metrics")
        if self._coordinates:
            numbers = _read_numbers(self._coordinates, row, "COORDINATE_INVALID", "location")
            patch.location = {**(patch.location or {}), **(numbers or {})} or None
        return patch


def channel_type(text: str) -> int:
    """The channel type of a name, ours or Pinpoint's, in any case; 0 for none."""
    if not text:
        return 0
    number = channels.BY_NAME.get(text) or channels.BY_NAME.get(text.strip().upper())
    if number is None:
        description = f"{shown(text)} is no channel type"
        raise invalid("CHANNEL_TYPE_INVALID", "channel_type", description)
    return number


def opt_out(text: str) -> int:
    """The opt-out of `ALL` or `NONE`, in any case; 0 for none."""
    number = OPT_OUTS.get(text)
    if number is None:
        number = OPT_OUTS.get(text.strip().upper())
    if number is None:
        raise invalid("OPT_OUT_INVALID", "opt_out", f"{shown(text)} is neither ALL nor NONE")
    return number


def _single(columns: Sequence[Column], kind: str) -> int:
    return next((index for index, column in enumerate(columns) if column.kind == kind), -1)


def _values(columns: Sequence[Column], kind: str) -> list[tuple[str, int]]:
    return [(column.name, index) for index, column in enumerate(columns) if column.kind == kind]


def _lists(columns: Sequence[Column], kind: str) -> list[tuple[str, int, tuple[int, ...]]]:
    """Name, first column, further columns of each attribute."""
    found: dict[str, list[int]] = defaultdict(list)
    for name, index in _values(columns, kind):
        found[name].append(index)
    return [(name, indexes[0], tuple(indexes[1:])) for name, indexes in found.items()]


def _read_lists(
    wanted: list[tuple[str, int, tuple[int, ...]]], row: Sequence[str]
) -> dict[str, list[str]] | None:
    if not wanted:
        return None
    found = {}
    for name, first, further in wanted:
        value = row[first]
        if further:
            values = [value] if value else []
            values += [row[index] for index in further if row[index]]
            if values:
                found[name] = values
        elif value:
            found[name] = [value]
    return found or None


def _read_texts(wanted: list[tuple[str, int]], row: Sequence[str]) -> dict[str, Any] | None:
    if not wanted:
        return None
    found = {}
    for name, index in wanted:
        value = row[index]
        if value:
            found[name] = value
    return found or None


def _read_numbers(
    wanted: list[tuple[str, int]], row: Sequence[str], reason: str, field: str
) -> dict[str, Any] | None:
    found = {}
    for name, index in wanted:
        text = row[index]
        if not text:
            continue
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        # Python reads 1_000 as a number; a file that says so is more likely wrong.
        if not math.isfinite(number) or "_" in text:
            raise invalid(reason, f"{field}.{name}", f"{shown(text)} is not a number")
        found[name] = number
    return found or None
