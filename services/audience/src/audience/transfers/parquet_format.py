"""Parquet, a batch of rows at a time: its columns become the cells that a CSV file would have."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from mesh.errors import Error, InvalidArgument

from audience.endpoints.checks import VALUES_MAX
from audience.endpoints.writing import Prepared
from audience.transfers import headers
from audience.transfers.cells import RowReader
from audience.transfers.chunks import LINES, Chunk
from audience.transfers.headers import Column
from audience.transfers.lines import is_unicode
from audience.transfers.pulling import Seekable, in_thread
from audience.transfers.rows import Collected

if TYPE_CHECKING:
    import pyarrow

COLUMN_BUFFER_BYTES: Final = 256 * 1024
ROW_GROUP_BYTES_MAX: Final = 2 * 1024**3
METADATA_BYTES_MAX: Final = 64 * 1024 * 1024
EXACT_MAX: Final = 2.0**53


class ParquetChunks:
    """Chunks of rows from row `row` on, each parsed and merged in a thread."""

    def __init__(
        self, application: str, file: Seekable, size: int, now: Callable[[], datetime], row: int
    ) -> None:
        self._application = application
        self._file = file
        self._size = size
        self._now = now
        self._row = row
        self._rows = 0
        self._batches: Any = None
        self._cells = Cells()

    async def next(self) -> Chunk | None:
        """The next chunk, None after the last."""
        return await in_thread(self._next)

    def _next(self) -> Chunk | None:
        import pyarrow

        try:
            self._batches = self._batches or self._opened()
            batch = next(self._batches, None)
            return self._chunk(batch) if batch is not None else None
        except (pyarrow.ArrowException, OSError) as error:
            raise _damaged(str(error), self._row) from None

    def _opened(self) -> Any:
        """Batches from the first row that is not committed; whole row groups before are skipped."""
        from pyarrow import parquet

        file = parquet.ParquetFile(
            self._file,
            buffer_size=COLUMN_BUFFER_BYTES,
            pre_buffer=False,
            thrift_string_size_limit=METADATA_BYTES_MAX,
        )
        self._rows = file.metadata.num_rows
        self._cells.open(file.schema_arrow)
        before, group = self._row, 0
        while group < file.num_row_groups and before >= file.metadata.row_group(group).num_rows:
            before -= file.metadata.row_group(group).num_rows
            group += 1
        groups = list(range(group, file.num_row_groups))
        for index in groups:
            _refuse_huge(file.metadata.row_group(index).total_byte_size, index)
        batches = file.iter_batches(batch_size=LINES, row_groups=groups, use_threads=False)
        return _after(batches, before)

    def _chunk(self, batch: "pyarrow.RecordBatch") -> Chunk:
        collected = Collected()
        patch, rows = self._cells.read(batch)
        for number, row in enumerate(rows, self._row + 1):
            if all(map(is_unicode, row)):
                collected.add(number, patch, row)
            else:
                collected.refuse(number, "ENCODING_INVALID", "not UTF-8")
        self._row += batch.num_rows
        prepared = Prepared(self._application, collected.patches, self._now())
        stored = self._size * self._row // max(1, self._rows)
        failures = collected.failures
        return Chunk(prepared, collected.lines, failures, self._row, self._row, stored)


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
        lists = [list(map(_text, one or ())) for one in _python(values)]
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
    try:
        found: list[Any] = values.to_pylist()
    except UnicodeDecodeError:
        found = values.cast(_binary(values.type)).to_pylist()
    return found


def _binary(kind: "pyarrow.DataType") -> "pyarrow.DataType":
    import pyarrow

    return pyarrow.list_(pyarrow.binary()) if _is_list(kind) else pyarrow.binary()


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


def _after(batches: Any, rows: int) -> Any:
    """What follows the first rows."""
    for batch in batches:
        if rows >= batch.num_rows:
            rows -= batch.num_rows
            continue
        yield batch.slice(rows)
        rows = 0


def _refuse_huge(size: int, group: int) -> None:
    if size > ROW_GROUP_BYTES_MAX:
        message = f"row group {group} has {size} bytes, more than {ROW_GROUP_BYTES_MAX}"
        raise InvalidArgument("PARQUET_INVALID", message, row_group=str(group))


def _damaged(said: str, row: int) -> Error:
    words = said.splitlines()[0][:200] if said else "it cannot be read"
    message = f"the Parquet file is cut off or damaged after row {row}: {words}"
    return InvalidArgument("PARQUET_INVALID", message, row=str(row))
