"""Which format a file is in, and which files are none that can be read."""

from pathlib import PurePath
from typing import Final, NamedTuple

from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.errors import InvalidArgument
from mesh.errors.refusals import invalid

from audience.transfers.csv_format import CsvFormat
from audience.transfers.json_format import JsonFormat
from audience.transfers.lines import BOM
from audience.transfers.rows import Format

HEADER_LINES_MAX: Final = 20
"""A header row with line breaks inside its quotes may take so many lines."""

_SUFFIXES: Final = {
    ".csv": pb.CSV,
    ".json": pb.JSON_LINES,
    ".jsonl": pb.JSON_LINES,
    ".ndjson": pb.JSON_LINES,
    ".parquet": pb.PARQUET,
}
_PACKED_SUFFIXES: Final = frozenset((".gz", ".gzip", ".zst", ".zstd"))
_PARQUET: Final = b"PAR1"
_BINARY: Final = {
    b"\x1f\x8b": "gzip, in a file that is packed already or stated to be plain",
    b"\x28\xb5\x2f\xfd": "zstd, in a file that is packed already or stated to be plain",
    b"PK\x03\x04": "a zip archive or a spreadsheet: save it as CSV in UTF-8",
    b"BZh": "bzip2: pack it with gzip or zstd",
    b"\xff\xfe": "UTF-16: save it in UTF-8",
    b"\xfe\xff": "UTF-16: save it in UTF-8",
}
_UTF_16_SHARE: Final = 3
"""Of western text in UTF-16 every second byte is 0."""


class Found(NamedTuple):
    """How a file is written, and what said so."""

    format: int
    evidence: int


def check_spec(spec: pb.ImportSpec) -> None:
    """Refuse an import that would do nothing (SEGMENT_ID_MISSING)."""
    if spec.skip_endpoints and not spec.segment_id:
        description = "without endpoints to write or a segment to define, nothing is imported"
        raise invalid("SEGMENT_ID_MISSING", "spec.segment_id", description)


def found(head: bytes, stated: int, file_name: str) -> Found:
    """The format of a file that begins so; refuses one that is none, or not the stated one."""
    is_parquet = head.startswith(_PARQUET)
    if stated:
        if is_parquet != (stated == pb.PARQUET):
            form = pb.FileFormat.Name(pb.FileFormat.ValueType(stated))
            is_what = "the file is Parquet" if is_parquet else "the file is none"
            raise _unsupported(f"the import states {form}, and {is_what}")
        return Found(stated, pb.ImportJob.STATED)
    if is_parquet:
        return Found(pb.PARQUET, pb.ImportJob.CONTENT)
    if head.removeprefix(BOM).lstrip()[:1] == b"{":
        return Found(pb.JSON_LINES, pb.ImportJob.CONTENT)
    by_name = _by_name(file_name)
    if by_name == pb.PARQUET:
        raise _unsupported("the file is named as Parquet, and is none")
    if by_name:
        return Found(by_name, pb.ImportJob.FILE_NAME)
    return Found(pb.CSV, pb.ImportJob.CONTENT)


def opened(lines: list[bytes], form: int, country: str = "") -> Format:
    """The reader of a text file that begins with these lines; refuses one that is no text.

    `country` is that of phone numbers without `+`.
    """
    start = lines[0] if lines else b""
    for magic, kind in _BINARY.items():
        if start.startswith(magic):
            raise InvalidArgument("IMPORT_FORMAT_UNSUPPORTED", f"the file is {kind}", kind=kind)
    if b"\0" in start:
        raise _unsupported(_binary(start))
    if not start.removeprefix(BOM).strip():
        raise InvalidArgument("HEADER_INVALID", "the file is empty, or begins with a blank line")
    return JsonFormat(country) if form == pb.JSON_LINES else CsvFormat(lines, country)


def fits(stated: int, file_name: str) -> bool:
    """Whether a name speaks for the stated format, or against none."""
    return not stated or _by_name(file_name) in (pb.FILE_FORMAT_UNSPECIFIED, stated)


def _by_name(file_name: str) -> int:
    path = PurePath(file_name)
    if path.suffix.lower() in _PACKED_SUFFIXES:
        path = path.with_suffix("")
    return _SUFFIXES.get(path.suffix.lower(), pb.FILE_FORMAT_UNSPECIFIED)


def _binary(start: bytes) -> str:
    if start.count(0) * _UTF_16_SHARE > len(start):
        return "the file is UTF-16: save it in UTF-8"
    return "the file is not UTF-8 text"


def _unsupported(message: str) -> InvalidArgument:
    return InvalidArgument("IMPORT_FORMAT_UNSUPPORTED", message)
