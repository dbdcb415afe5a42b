"""CSV (RFC 4180) in Pinpoint's headers, read so that one bad row spoils no other.

`csv.reader` finds the rows; quoted values may hold line breaks. Where it stops at an error, the
line that began the row is refused and reading goes on with the next line.
"""

import csv
from typing import Final

from audience.transfers import headers
from audience.transfers.cells import RowReader
from audience.transfers.lines import BOM, decoded, is_unicode
from audience.transfers.rows import Collected, Rows

FIELD_CHARACTERS_MAX: Final = 64 * 1024
"""A longer value is a quote that was never closed: this bounds how far it is looked for."""

_TEXT_ENDED: Final = "unexpected end of data"
_ROWS_JOINED: Final = "an open quote has joined rows"
_TOO_LONG: Final = "field larger than field limit"

csv.field_size_limit(FIELD_CHARACTERS_MAX)


class CsvFormat:
    """Endpoints in rows of cells."""

    def __init__(self, header: list[bytes], country: str = "") -> None:
        """`header` is the first lines of the file, the header row among them."""
        self.country = country
        cells, self.header_lines = _header(header)
        self._width = len(cells)
        self._patch = RowReader(headers.columns(cells)).patch
        self._is_whole = True

    def rows(self, lines: list[bytes], first_line: int, *, at_end: bool) -> Rows:
        """The rows of lines; the header's own lines must not be among them."""
        texts, self._is_whole = decoded(lines)
        collected = Collected(self.country)
        position = 0
        while position < len(texts):
            stopped = self._read(texts, position, first_line, collected)
            if stopped is None:
                break
            position, message = stopped
            if message == _TEXT_ENDED and not at_end:
                return collected.rows(position)
            collected.refuse(first_line + position, *_reason(message))
            position += 1
        return collected.rows(len(lines))

    def _read(
        self, texts: list[str], begin: int, first_line: int, collected: Collected
    ) -> tuple[int, str] | None:
        """Read rows from line `begin` on; where and why it stopped, None at the end."""
        reader = csv.reader(texts[begin:] if begin else texts, strict=True)
        position = begin
        try:
            for row in reader:
                end = begin + reader.line_num
                if len(row) != self._width and end > position + 1:
                    return position, _ROWS_JOINED
                self._collect(row, first_line + position, collected)
                position = end
        except csv.Error as error:
            return position, str(error)
        return None

    def _collect(self, row: list[str], line: int, collected: Collected) -> None:
        if not any(row):
            return
        if not self._is_whole and not all(map(is_unicode, row)):
            collected.refuse(line, "ENCODING_INVALID", "not UTF-8")
        else:
            collected.add(line, self._patch, row)


def _header(lines: list[bytes]) -> tuple[list[str], int]:
    """The header's cells, and how many lines it takes."""
    texts, _ = decoded([lines[0].removeprefix(BOM), *lines[1:]]) if lines else ([], True)
    reader = csv.reader(texts, strict=True)
    try:
        cells = next(reader)
    except (csv.Error, StopIteration):
        raise headers.header_invalid("the file has no header row", texts[:1]) from None
    if not all(map(is_unicode, cells)):
        raise headers.header_invalid("the header is not UTF-8", [])
    return cells, reader.line_num


def _reason(message: str) -> tuple[str, str]:
    if message.startswith(_TOO_LONG):
        description = f"a value of more than {FIELD_CHARACTERS_MAX} characters, or an open quote"
        return "ROW_TOO_LONG", description
    if message in (_TEXT_ENDED, _ROWS_JOINED):
        return "QUOTE_INVALID", "a quote is opened and not closed"
    return "QUOTE_INVALID", "text follows a closing quote, or a line break is not quoted"
