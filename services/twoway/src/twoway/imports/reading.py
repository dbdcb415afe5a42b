"""Files of opted-out numbers, line by line: CSV with a header, or JSON lines. Pure."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import IO, Any

from mesh.errors import InvalidArgument, refusals

from twoway import addresses

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")
_DELIMITERS = ",;\t"
_NAME_CHARACTERS_MAX = 60
_WANTED = "a number with its country code, as +12065550191, or a short code of 3 to 8 digits"

LINE_CHARACTERS_MAX = 1024 * 1024
"""By which memory is bounded, whatever a file holds."""

# Ours, and those of Amazon Pinpoint's DescribeOptedOutNumbers, without case and punctuation.
_COLUMNS = {
    "phonenumber": "number",
    "optedoutnumber": "number",
    "optouttime": "time",
    "optedouttimestamp": "time",
    "enduseroptedout": "end_user",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nobody is opted out by a line, in words that repeat nothing of it: what stands in place
    of a number may be somebody's name, and refusals outlive the file. `field` is the header or JSON
    name of what is wrong, as the file has it; empty for the whole line.
    """

    reason: str
    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file; `refusal` says why nobody is opted out by it.

    `opt_out_time` is None where the line tells none, or none that can be.
    """

    line: int
    number: str = ""
    opt_out_time: datetime | None = None
    end_user_opted_out: bool = False
    refusal: Refusal | None = None


_NO_OBJECT = Refusal("JSON_INVALID", "", "expected a JSON object that begins and ends on this line")


def read(content: bytes) -> Iterator[Line]:
    """The lines that are not empty; refuses (IMPORT_FORMAT_INVALID) what is no such file."""
    return lines(io.BytesIO(content))


def lines(file: IO[bytes]) -> Iterator[Line]:
    """The same of an open file, of which no more is read than is taken."""
    text = _text(io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline=""))
    blank = []
    for first in text:
        blank.append(first)
        if first.strip():
            break
    whole = chain(blank, text)
    head = blank[-1] if blank else ""
    if head.lstrip().startswith("{"):
        yield from _json_lines(whole)
    else:
        yield from _csv_lines(whole, _delimiter(head))


def _text(file: IO[str]) -> Iterator[str]:
    """Lines with their ends; a longer one means that this is no text with a number a line."""
    while line := file.readline(LINE_CHARACTERS_MAX + 1):
        if len(line) > LINE_CHARACTERS_MAX:
            raise _invalid(f"a line has more than {LINE_CHARACTERS_MAX} characters")
        yield line.replace("\x00", "\ufffd")


def _delimiter(first: str) -> str:
    return next((one for one in _DELIMITERS if one in first), ",")


def _csv_lines(text: Iterator[str], delimiter: str) -> Iterator[Line]:
    reader = csv.reader(text, delimiter=delimiter)
    columns: list[str] = []
    field = ""
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns:
                given = dict(zip(columns, cells, strict=False))
                yield _line(reader.line_num, given, field)
            else:
                columns = _header(cells)
                field = _shown(cells[columns.index("number")])
    except csv.Error as error:
        raise _invalid(f"line {reader.line_num} is no CSV: {error}") from None
    if not columns:
        raise _invalid("the file is empty")


def _header(cells: list[str]) -> list[str]:
    columns = [_column(cell) for cell in cells]
    if columns.count("number") != 1:
        raise _invalid("its first line must name one column phone_number")
    return columns


def _json_lines(text: Iterator[str]) -> Iterator[Line]:
    for position, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            fields = None
        if isinstance(fields, dict):
            names = {_column(name): name for name in fields}
            given = {column: fields[name] for column, name in names.items()}
            yield _line(position, given, _shown(names.get("number", "phone_number")))
        else:
            yield Line(position, refusal=_NO_OBJECT)


def _line(position: int, cells: dict[str, Any], field: str) -> Line:
    given = str(cells.get("number") or "").strip()
    if not given:
        return Line(position, refusal=Refusal("PHONE_NUMBER_MISSING", field, f"expected {_WANTED}"))
    number = addresses.canonical(given)
    if not _NUMBER.fullmatch(number):
        description = f"expected {_WANTED}; this is neither"
        return Line(position, refusal=Refusal("PHONE_NUMBER_INVALID", field, description))
    end_user = str(cells.get("end_user", "")).strip().lower() in ("true", "1", "yes")
    return Line(position, number, _moment(cells.get("time")), end_user)


def _shown(name: str) -> str:
    return name.strip()[:_NAME_CHARACTERS_MAX]


def _column(name: str) -> str:
    plain = re.sub("[^a-z]", "", name.lower())
    return _COLUMNS.get(plain, f"other {name}")


def _moment(told: Any) -> datetime | None:
    """A time as ISO 8601 or as seconds since 1970; a time without a zone is in UTC."""
    try:
        moment = datetime.fromtimestamp(float(told), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        try:
            moment = datetime.fromisoformat(str(told).strip())
        except ValueError:
            return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _invalid(description: str) -> InvalidArgument:
    return refusals.invalid("IMPORT_FORMAT_INVALID", "content", description)
