"""Rows of cells as patches, by the columns of the header."""

import math
from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from heliograph.audience.v1 import endpoint_pb2 as pb

from audience import channels
from audience.endpoints import checks
from audience.endpoints.patches import Checked, Patch
from audience.refusals import invalid, shown
from audience.transfers.headers import Column

OPT_OUTS: Final = {"ALL": pb.Endpoint.ALL, "NONE": pb.Endpoint.NONE, "": 0}
KEPT_MAX: Final = 10_000
"""Maps kept of each kind; about as many bytes as a chunk of rows."""

_COORDINATES: Final = ("latitude", "longitude")
_UNKNOWN: Final = Checked({}, "")


class RowReader:
    """Makes a patch of each row. An empty cell supplies nothing."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._width = len(columns)
        self._id = _single(columns, "id")
        self._channel_type = _single(columns, "channel_type")
        self._address = _single(columns, "address")
        self._opt_out = _single(columns, "opt_out")
        self._user_id = _single(columns, "user_id")
        self._attributes = Cells("attributes", columns)
        self._user_attributes = Cells("user_attributes", columns)
        self._metrics = Cells("metrics", columns)
        self._demographic = Cells("demographic", columns)
        self._location = Cells("location", columns)

    def patch(self, row: Sequence[str]) -> Patch:
        """What the row supplies; refuses cells that cannot be read, naming the field."""
        if len(row) != self._width:
            description = f"the row has {len(row)} cells, the header {self._width}"
            raise invalid("CELL_COUNT_MISMATCH", "", description)
        return Patch(
            endpoint=row[self._id] if self._id >= 0 else "",
            channel_type=channel_type(row[self._channel_type]) if self._channel_type >= 0 else 0,
            address=(row[self._address] or None) if self._address >= 0 else None,
            attributes=self._attributes.read(row),
            metrics=self._metrics.read(row),
            demographic=self._demographic.read(row),
            location=self._location.read(row),
            user_id=(row[self._user_id] or None) if self._user_id >= 0 else None,
            user_attributes=self._user_attributes.read(row),
            opt_out=opt_out(row[self._opt_out]) if self._opt_out >= 0 else 0,
        )


class Cells:
    """The cells of a row that make one map.

    Rows repeat each other's places, devices and choices, so what was read and checked once is kept.
    """

    def __init__(self, kind: str, columns: Sequence[Column]) -> None:
        self._field = "user.attributes" if kind == "user_attributes" else kind
        self._columns = _columns(columns, kind)
        indexes = [index for _, several in self._columns for index in several]
        self._cells = itemgetter(*indexes) if indexes else None
        self._kept: dict[Any, Checked | None] = {}

    def read(self, row: Sequence[str]) -> Checked | None:
        """The map, or None when all its cells are empty."""
        if self._cells is None:
            return None
        cells = self._cells(row)
        found = self._kept.get(cells, _UNKNOWN)
        if found is _UNKNOWN:
            values = self._values(row)
            found = checks.checked(self._field, values) if values else None
            if len(self._kept) < KEPT_MAX:
                self._kept[cells] = found
        return found

    def _values(self, row: Sequence[str]) -> dict[str, Any]:
        found = {}
        for name, indexes in self._columns:
            given = [row[index] for index in indexes if row[index]]
            if given:
                found[name] = self._value(name, given)
        return found

    def _value(self, name: str, given: list[str]) -> Any:
        if self._field.endswith("attributes"):
            return given
        if self._field == "metrics":
            return _number("METRIC_INVALID", f"metrics.{name}", given[0])
        if self._field == "location" and name in _COORDINATES:
            return _number("COORDINATE_INVALID", f"location.{name}", given[0])
        return given[0]


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


def _columns(columns: Sequence[Column], kind: str) -> list[tuple[str, list[int]]]:
    """Each name of a kind, with the columns that hold its values."""
    found: dict[str, list[int]] = defaultdict(list)
    for index, column in enumerate(columns):
        if column.kind == kind:
            found[column.name].append(index)
    return list(found.items())


def _number(reason: str, field: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # Python reads 1_000 as a number; a file that says so is more likely wrong.
    if not math.isfinite(number) or "_" in text:
        raise invalid(reason, field, f"{shown(text)} is not a number")
    return number
