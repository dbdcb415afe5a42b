"""Which format a file is in, and which files are none that can be read."""

from pathlib import PurePath
from typing import Final

from heliograph.audience.v1 import import_job_pb2 as pb
from mesh.errors import InvalidArgument

from audience.refusals import unsupported
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
}
_BINARY: Final = {
    b"\x1f\x8b": "gzip: unpack it before",
    b"\x28\xb5\x2f\xfd": "zstd: unpack it before",
    b"PK\x03\x04": "a zip archive or a spreadsheet: save it as CSV in UTF-8",
    b"PAR1": "Parquet",
    b"\xff\xfe": "UTF-16: save it in UTF-8",
    b"\xfe\xff": "UTF-16: save it in UTF-8",
}


def check_spec(spec: pb.ImportSpec) -> None:
    """Refuse what the contract allows and nobody does here."""
    if spec.format == pb.PARQUET:
        raise unsupported("spec.format")
    if spec.compression not in (pb.FILE_COMPRESSION_UNSPECIFIED, pb.PLAIN):
        raise unsupported("spec.compression")
    if spec.skip_endpoints:
        raise unsupported("spec.skip_endpoints")
    if spec.segment_id:
        raise unsupported("spec.segment_id")


def opened(lines: list[bytes], spec: pb.ImportSpec, file_name: str) -> Format:
    """The format of a file that begins with these lines; refuses one that is no text."""
    start = lines[0] if lines else b""
    for magic, kind in _BINARY.items():
        if start.startswith(magic):
            raise InvalidArgument("IMPORT_FORMAT_UNSUPPORTED", f"the file is {kind}", kind=kind)
    if b"\0" in start:
        raise InvalidArgument("IMPORT_FORMAT_UNSUPPORTED", "the file is not UTF-8 text")
    if not start.removeprefix(BOM).strip():
        raise InvalidArgument("HEADER_INVALID", "the file is empty, or begins with a blank line")
    if _format(start, spec, file_name) == pb.JSON_LINES:
        return JsonFormat()
    return CsvFormat(lines)


def _format(start: bytes, spec: pb.ImportSpec, file_name: str) -> int:
    if spec.format:
        return spec.format
    by_name = _SUFFIXES.get(PurePath(file_name).suffix.lower())
    by_content = pb.JSON_LINES if start.removeprefix(BOM).lstrip()[:1] == b"{" else pb.CSV
    return by_name or by_content
