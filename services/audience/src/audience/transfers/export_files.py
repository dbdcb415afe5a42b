"""Files of an export, each whole or not there.

CSV and Parquet name all their columns at the beginning, so their records are put by as JSON lines
until the last one is known.
"""

import csv
import io
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.objects.whole_files import WholeFile

from audience.transfers import flattening

if TYPE_CHECKING:
    import pyarrow

ROW_GROUP_ROWS: Final = 5_000
"""As Python values first, which bounds what a file costs in memory."""

_CODECS: Final[dict[int, str]] = {pb.GZIP: "gzip", pb.ZSTD: "zstd"}
_SUFFIXES: Final[dict[int, str]] = {pb.GZIP: ".gz", pb.ZSTD: ".zst"}
_PUT_BY: Final = ".records"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def name(number: int, form: int, compression: int) -> str:
    """The name of the file with a number, from 0."""
    if form == pb.PARQUET:
        return f"part-{number:05}.parquet"
    return f"part-{number:05}.{'csv' if form == pb.CSV else 'jsonl'}" + _SUFFIXES.get(
        compression, ""
    )


class ExportFile(WholeFile):
    """One file; `add` records, then `finish`, then `close` in any case."""

    def __init__(self, path: Path, compression: int) -> None:
        super().__init__(path)
        self._compression = compression

    @abstractmethod
    def add(self, records: Iterable[dict[str, Any]]) -> None:
        """Write some records."""

    def _output(self) -> IO[bytes]:
        raw = self._open.enter_context(self._partial.open("wb"))
        if self._compression not in _CODECS:
            return raw
        import pyarrow

        packed: IO[bytes] = self._open.enter_context(
            pyarrow.CompressedOutputStream(pyarrow.PythonFile(raw, "w"), _CODECS[self._compression])
        )
        return packed


class JsonLinesFile(ExportFile):
    """One object a line."""

    def __init__(self, path: Path, compression: int) -> None:
        super().__init__(path, compression)
        self._out = self._output()

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        """Write some records."""
        self._out.write(b"".join(_encode(record) + b"\n" for record in records))

    def _complete(self) -> None:
        self._out.flush()


class _Columns(ExportFile):
    """A file whose columns are known when its last record is."""

    def __init__(self, path: Path, compression: int) -> None:
        super().__init__(path, compression)
        self._shape = flattening.Shape()
        self._put_by = path.with_name(path.name + _PUT_BY)
        self._records = self._open.enter_context(self._put_by.open("wb+"))

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        """Put some records by."""
        for record in records:
            cells = flattening.flat(record)
            self._shape.add(cells)
            self._records.write(_encode(cells) + b"\n")

    def close(self) -> None:
        """Leave nothing that is not complete."""
        super().close()
        self._put_by.unlink(missing_ok=True)

    def _rows(self) -> Iterator[flattening.Flat]:
        self._records.seek(0)
        return map(_decode, self._records)


class CsvFile(_Columns):
    """RFC 4180, with repeated headers for several values."""

    def _complete(self) -> None:
        columns = self._shape.columns()
        text = io.TextIOWrapper(self._output(), encoding="utf-8", newline="", write_through=False)
        out = csv.writer(text)
        out.writerow(flattening.header_row(columns))
        out.writerows(flattening.row(cells, columns) for cells in self._rows())
        text.flush()
        text.detach()


class ParquetFile(_Columns):
    """Numbers as doubles, attributes as lists of text, all else as text."""

    def _complete(self) -> None:
        import pyarrow
        from pyarrow import parquet

        columns = [header for header, _ in self._shape.columns()]
        schema = _schema(columns)
        codec = _CODECS.get(self._compression, "none" if self._compression == pb.PLAIN else "zstd")
        with parquet.ParquetWriter(self._partial, schema, compression=codec) as out:
            rows: list[flattening.Flat] = []
            for cells in self._rows():
                rows.append(cells)
                if len(rows) == ROW_GROUP_ROWS:
                    out.write_table(_table(rows, schema))
                    rows = []
            if rows:
                out.write_table(_table(rows, schema))
        pyarrow.default_memory_pool().release_unused()


KINDS: Final[dict[int, type[ExportFile]]] = {
    pb.FILE_FORMAT_UNSPECIFIED: JsonLinesFile,
    pb.JSON_LINES: JsonLinesFile,
    pb.CSV: CsvFile,
    pb.PARQUET: ParquetFile,
}


def _schema(columns: list[str]) -> "pyarrow.Schema":
    import pyarrow

    return pyarrow.schema([(header, _type(header)) for header in columns])


def _type(header: str) -> "pyarrow.DataType":
    import pyarrow

    if flattening.is_number(header):
        return pyarrow.float64()
    return pyarrow.list_(pyarrow.string()) if flattening.is_list(header) else pyarrow.string()


def _table(rows: list[flattening.Flat], schema: "pyarrow.Schema") -> "pyarrow.Table":
    import pyarrow

    arrays = [
        pyarrow.array(
            (row.get(header) if flattening.is_list(header) else _one(row, header) for row in rows),
            _type(header),
            size=len(rows),
        )
        for header in schema.names
    ]
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def _one(row: flattening.Flat, header: str) -> Any:
    values = row.get(header)
    return values[0] if values else None
