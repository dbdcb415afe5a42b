"""Parquet, a batch of rows at a time."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from mesh.errors import Error, InvalidArgument
from mesh.pulling import Seekable, in_thread

from audience.endpoints.prepared import Prepared
from audience.transfers.chunks import Chunk
from audience.transfers.lines import is_unicode
from audience.transfers.parquet_cells import Cells
from audience.transfers.rows import Collected

if TYPE_CHECKING:
    import pyarrow

COLUMN_BUFFER_BYTES: Final = 256 * 1024
ROW_GROUP_BYTES_MAX: Final = 2 * 1024**3
METADATA_BYTES_MAX: Final = 64 * 1024 * 1024
READING: Final[dict[str, Any]] = {
    "buffer_size": COLUMN_BUFFER_BYTES,
    "pre_buffer": False,
    "thrift_string_size_limit": METADATA_BYTES_MAX,
}


class ParquetChunks:
    """Chunks of at most `rows` rows from row `row` on, each parsed and merged in a thread."""

    def __init__(
        self,
        application: str,
        file: Seekable,
        size: int,
        now: Callable[[], datetime],
        row: int,
        rows: int,
        country: str = "",
    ) -> None:
        self._application = application
        self._country = country
        self._file = file
        self._size = size
        self._now = now
        self._row = row
        self._chunk_rows = rows
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
            read_dictionary=_texts(parquet.ParquetFile(self._file, **READING)),
            **READING,
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
        batches = file.iter_batches(
            batch_size=self._chunk_rows, row_groups=groups, use_threads=False
        )
        return _after(batches, before)

    def _chunk(self, batch: "pyarrow.RecordBatch") -> Chunk:
        collected = Collected(self._country)
        patch, rows = self._cells.read(batch)
        for number, row in enumerate(rows, self._row + 1):
            if all(map(is_unicode, row)):
                collected.add(number, patch, row)
            else:
                collected.refuse(number, "ENCODING_INVALID", "not UTF-8")
        self._row += batch.num_rows
        prepared = Prepared(self._application, collected.patches, self._now())
        stored = self._size * self._row // max(1, self._rows)
        return Chunk(
            *(prepared, collected.lines, collected.failures, collected.users),
            *(self._row, self._row, stored),
        )


def _texts(file: "pyarrow.parquet.ParquetFile") -> list[str]:
    """The paths of columns that hold text, also in lists."""
    schema = file.schema
    columns = (schema.column(index) for index in range(len(schema)))
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


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
