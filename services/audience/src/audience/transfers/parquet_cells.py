"""The columns of Parquet as the cells that a CSV file would have."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from mesh.errors import InvalidArgument

from audience.endpoints.checks import VALUES_MAX
from audience.transfers import headers
from audience.transfers.cells import RowReader
from audience.transfers.csv_format import FIELD_CHARACTERS_MAX
from audience.transfers.headers import Column

if TYPE_CHECKING:
    import pyarrow

EXACT_MAX: Final = 2.0**53
"""Whole numbers up to here are exact as floats."""


class Cells:
    """Columns of a schema as cells; a list has as many as its longest in the batch."""

    def __init__(self) -> None:
        self._columns: list[Column] = []
        self._lists: list[bool] = []
        self._readers: dict[tuple[int, ...], RowReader] = {}

    def open(self, schema: "pyarrow.Schema") -> None:
        """Refuse a schema that has not the columns or the types of an endpoint."""
        from pyarrow import types

        self._columns = headers.columns(schema.names)
        self._lists = [_is_list(field.type) for field in schema]
        for field, column, is_list in zip(schema, self._columns, self._lists, strict=True):
            inner = field.type.value_type if is_list else field.type
            if column.kind != "ignored" and types.is_nested(inner):
                raise headers.header_invalid(f"column {field.name} is {field.type}", schema.names)
            if is_list and column.kind not in headers.SEVERAL:
                description = f"column {field.name} is a list, and an endpoint has one"
                raise headers.header_invalid(description, schema.names)

    def read(self, batch: "pyarrow.RecordBatch") -> tuple[Callable[[Any], Any], list[Any]]:
        """What makes a patch of a row, and the rows."""
        columns: list[Sequence[str]] = []
        widths = []
        for index, column in enumerate(self._columns):
            given = [] if column.kind == "ignored" else self._column(batch.column(index), index)
            widths.append(len(given))
            columns += given
        return self._reader(tuple(widths)).patch, list(zip(*columns, strict=True))

    def _column(self, values: "pyarrow.Array", index: int) -> list[list[str]]:
        if not self._lists[index]:
            return [list(map(_text, _python(values)))]
        lists = _lists(values)
        # One more than there may be, so that a longer list is refused and not cut.
        width = min(max(map(len, lists), default=0), VALUES_MAX + 1)
        padding = [""] * width
        return [list(cells) for cells in zip(*((one + padding)[:width] for one in lists))]  # noqa: B905

    def _reader(self, widths: tuple[int, ...]) -> RowReader:
        if widths not in self._readers:
            columns = [
                column
                for column, width in zip(self._columns, widths, strict=True)
                for _ in range(width)
            ]
            self._readers[widths] = RowReader(columns)
        return self._readers[widths]


def _is_list(kind: "pyarrow.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind))


def _python(values: "pyarrow.Array") -> list[Any]:
    """Python values; text as bytes where it is not UTF-8, times to the microsecond."""
    import pyarrow
    from pyarrow import types

    if types.is_timestamp(values.type):
        values = values.cast(pyarrow.timestamp("us", tz=values.type.tz), safe=False)
    if types.is_dictionary(values.type):
        return _looked_up(values)
    try:
        found: list[Any] = values.to_pylist()
    except UnicodeDecodeError:
        found = values.cast(pyarrow.binary()).to_pylist()
    return found


def _looked_up(values: "pyarrow.DictionaryArray") -> list[Any]:
    """Each different value once: a few bytes in the file may stand for many long texts."""
    import pyarrow

    indexes = values.indices.to_pylist()
    used = sorted({index for index in indexes if index is not None})
    texts = dict(
        zip(used, _python(values.dictionary.take(pyarrow.array(used, "int64"))), strict=True)
    )
    lengths = (len(text) for text in texts.values() if isinstance(text, str | bytes))
    if any(length > FIELD_CHARACTERS_MAX for length in lengths):
        message = f"a value has more than {FIELD_CHARACTERS_MAX} characters"
        raise InvalidArgument("ROW_TOO_LONG", message)
    return [texts.get(index) for index in indexes]


def _lists(values: "pyarrow.ListArray") -> list[list[str]]:
    """The cells of each row."""
    import pyarrow.compute

    cells = iter(list(map(_text, _python(values.flatten()))))
    lengths = pyarrow.compute.list_value_length(values).to_pylist()
    return [list(islice(cells, length or 0)) for length in lengths]


def _text(value: Any) -> str:
    """The cell of a value: what a spreadsheet would show."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        # Whole numbers become floats where a column has gaps.
        return str(int(value)) if abs(value) < EXACT_MAX and value.is_integer() else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
