"""Exported files without a person: read once, and copied without their rows."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import msgspec

_CODECS: Final = {".gz": "gzip", ".zst": "zstd"}
_ID, _ADDRESS, _USER = "Id", "Address", "User.UserId"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Sought:
    """Whose rows go: by endpoint id, by address or by user id."""

    endpoints: frozenset[str]
    addresses: frozenset[str]
    user_id: str

    def fits(self, endpoint: str, address: str, user_id: str) -> bool:
        """Whether a row is of the person."""
        return endpoint in self.endpoints or address in self.addresses or user_id == self.user_id

    @property
    def needles(self) -> list[bytes]:
        """One of these stands in every line about the person, as JSON writes it."""
        words = {*self.endpoints, *self.addresses, self.user_id}
        return [msgspec.json.encode(word)[1:-1] for word in sorted(words)]


def rewrite(path: Path, partial: Path, sought: Sought) -> int:
    """Copy a file without a person's rows; how many there were.

    Raises OSError when the file cannot be read or written, ValueError when it is damaged.
    """
    return _WRITERS[_kind(path)](path, partial, sought)


def is_export(path: Path) -> bool:
    """Whether a name is that of an exported file."""
    return _kind(path) in _WRITERS


def _kind(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix in _CODECS else path.suffix


def _json_lines(path: Path, partial: Path, sought: Sought) -> int:
    found, needles = 0, sought.needles
    with _opened(path, partial) as (source, target):
        for line in source:
            if any(needle in line for needle in needles) and _is_of(_decode(line), sought):
                found += 1
            else:
                target.write(line)
    return found


def _is_of(record: dict[str, Any], sought: Sought) -> bool:
    user = record.get("User", {}).get("UserId", "")
    return sought.fits(record.get(_ID, ""), record.get(_ADDRESS, ""), user)


def _csv(path: Path, partial: Path, sought: Sought) -> int:
    found = 0
    with _opened(path, partial) as (source, target):
        text = io.TextIOWrapper(target, encoding="utf-8", newline="")  # type: ignore[type-var]
        rows = csv.reader(io.TextIOWrapper(source, encoding="utf-8", newline=""))  # type: ignore[type-var]
        out = csv.writer(text)
        header = next(rows, [])
        out.writerow(header)
        for row in rows:
            if sought.fits(*_cells(header, row)):
                found += 1
            else:
                out.writerow(row)
        text.flush()
        text.detach()
    return found


def _cells(header: list[str], row: list[str]) -> tuple[str, str, str]:
    cells = dict(zip(header, row, strict=False))
    return cells.get(_ID, ""), cells.get(_ADDRESS, ""), cells.get(_USER, "")


def _parquet(path: Path, partial: Path, sought: Sought) -> int:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        masks = [_mask(file, number, sought) for number in range(file.num_row_groups)]
        found = sum(mask.count(False) for mask in masks)
        if found:
            codec = file.metadata.row_group(0).column(0).compression
            codec = "none" if codec == "UNCOMPRESSED" else codec
            with parquet.ParquetWriter(partial, file.schema_arrow, compression=codec) as out:
                for number, mask in enumerate(masks):
                    out.write_table(file.read_row_group(number).filter(mask))
    return found


def _mask(file: Any, number: int, sought: Sought) -> list[bool]:
    """Which rows of a group stay; only the columns that say whose they are, are read."""
    names = [name for name in (_ID, _ADDRESS, _USER) if name in file.schema_arrow.names]
    table = file.read_row_group(number, columns=names)
    empty = [""] * table.num_rows
    columns = [
        table.column(name).to_pylist() if name in names else empty
        for name in (_ID, _ADDRESS, _USER)
    ]
    return [not sought.fits(*cells) for cells in zip(*columns, strict=True)]


@contextmanager
def _opened(path: Path, partial: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The file to read and the one to write, unpacked."""
    with ExitStack() as stack:
        source: Any = stack.enter_context(path.open("rb"))
        target: Any = stack.enter_context(partial.open("wb"))
        if path.suffix in _CODECS:
            import pyarrow

            codec = _CODECS[path.suffix]
            packed = pyarrow.CompressedInputStream(pyarrow.PythonFile(source, "r"), codec)
            source = stack.enter_context(io.BufferedReader(stack.enter_context(packed)))
            unpacked = pyarrow.CompressedOutputStream(pyarrow.PythonFile(target, "w"), codec)
            target = stack.enter_context(unpacked)
        yield source, target


_WRITERS: Final[dict[str, Callable[[Path, Path, Sought], int]]] = {
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".parquet": _parquet,
}
