"""Rows of cells as patches, by the columns of the header."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from heliograph.audience.v1 import endpoint_pb2 as pb
from mesh.errors.refusals import invalid, shown

from audience import channels
from audience.endpoints.patches import Patch
from audience.transfers.headers import Column
from audience.transfers.kept import Kept

OPT_OUTS: Final = {"ALL": pb.Endpoint.ALL, "NONE": pb.Endpoint.NONE, "": 0}
STATUSES: Final = {"ACTIVE": pb.Endpoint.ACTIVE, "INACTIVE": pb.Endpoint.INACTIVE, "": 0}
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
        self._status = _single(columns, "status")
        self._topics = _several(columns, "refused_topics")
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
            status=status(row[self._status]) if self._status >= 0 else 0,
            refused_topics=_given(row, self._topics) if self._topics else None,
        )


class Cells:
    """The cells of a row that make one map."""

    def __init__(self, kind: str, columns: Sequence[Column]) -> None:
        field = "user.attributes" if kind == "user_attributes" else kind
        named = [
            (column.name, index) for index, column in enumerate(columns) if column.kind == kind
        ]
        indexes = [index for _, index in named]
        self._names = [name for name, _ in named]
        self._cells = itemgetter(*indexes) if indexes else None
        self._kept = Kept(field, _READERS[kind](self))

    def read(self, row: Sequence[str]) -> dict[str, Any] | None:
        """The map, or None when all its cells are empty."""
        return self._kept.get(self._cells(row)) if self._cells else None

    def given(self, cells: str | tuple[str, ...]) -> list[tuple[str, str]]:
        """Names and values of the cells that are not empty; a single cell comes alone."""
        texts = (cells,) if isinstance(cells, str) else cells
        return [(name, text) for name, text in zip(self._names, texts, strict=True) if text]

    def lists(self, cells: Any) -> dict[str, Any]:
        """Several cells of a name are its values."""
        found = defaultdict(list)
        for name, text in self.given(cells):
            found[name].append(text)
        return dict(found)

    def numbers(self, cells: Any) -> dict[str, Any]:
        """Each cell is a number."""
        return {
            name: _number("METRIC_INVALID", f"metrics.{name}", text)
            for name, text in self.given(cells)
        }

    def texts(self, cells: Any) -> dict[str, Any]:
        """Each cell is a text."""
        return dict(self.given(cells))

    def place(self, cells: Any) -> dict[str, Any]:
        """Texts, and two numbers."""
        return {
            name: _number("COORDINATE_INVALID", f"location.{name}", text)
            if name in _COORDINATES
            else text
            for name, text in self.given(cells)
        }


_READERS: Final[dict[str, Callable[[Cells], Callable[[Any], dict[str, Any]]]]] = {
    "attributes": lambda cells: cells.lists,
    "user_attributes": lambda cells: cells.lists,
    "metrics": lambda cells: cells.numbers,
    "demographic": lambda cells: cells.texts,
    "location": lambda cells: cells.place,
}


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


def status(text: str) -> int:
    """The status of `ACTIVE` or `INACTIVE`, in any case; 0 for none."""
    number = STATUSES.get(text)
    if number is None:
        number = STATUSES.get(text.strip().upper())
    if number is None:
        raise invalid("STATUS_INVALID", "status", f"{shown(text)} is neither ACTIVE nor INACTIVE")
    return number


def _single(columns: Sequence[Column], kind: str) -> int:
    return next((index for index, column in enumerate(columns) if column.kind == kind), -1)


def _several(columns: Sequence[Column], kind: str) -> list[int]:
    return [index for index, column in enumerate(columns) if column.kind == kind]


def _given(row: Sequence[str], indexes: list[int]) -> list[str] | None:
    """The cells that are not empty, None when all are."""
    return [row[index] for index in indexes if row[index]] or None


def _number(reason: str, field: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # Python reads 1_000 as a number; a file that says so is more likely wrong.
    if not math.isfinite(number) or "_" in text:
        raise invalid(reason, field, f"{shown(text)} is not a number")
    return number
