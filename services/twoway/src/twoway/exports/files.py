"""Files of opted-out numbers, such as `imports.reading` reads. They hold no words of people.

Who is erased and on a list stays in its files, which tell no more; `erasing` takes out others.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Final, cast

from heliograph.twoway.v1 import opt_out_service_pb2 as pb
from mesh.objects.whole_files import WholeFile

from twoway.consent import render

Request = pb.ExportOptedOutNumbersRequest

COLUMNS: Final = ("phone_number", "opt_out_time", "end_user_opted_out")
PACKED_LEVEL: Final = 6


def name(number: int, form: int, compression: int) -> str:
    """The name of the file with a number, from 0."""
    kind = "jsonl" if form == Request.JSON_LINES else "csv"
    return f"opted-out-{number:05}.{kind}{'.gz' if compression == Request.GZIP else ''}"


class NumbersFile(WholeFile):
    """One file; `add` numbers, then `finish`, then `close` in any case."""

    def __init__(self, path: Path, form: int, compression: int) -> None:
        super().__init__(path)
        self._is_csv = form != Request.JSON_LINES
        self._text = self._open.enter_context(
            io.TextIOWrapper(self._output(compression), encoding="utf-8", newline="")
        )
        self._csv = csv.writer(self._text)
        if self._is_csv:
            self._csv.writerow(COLUMNS)

    def add(self, rows: Iterable[Any]) -> None:
        """Write some numbers."""
        records = ((row["phone_number"], *_facts(row)) for row in rows)
        if self._is_csv:
            self._csv.writerows((number, when, _word(mine)) for number, when, mine in records)
        else:
            self._text.writelines(
                json.dumps(dict(zip(COLUMNS, record, strict=True))) + "\n" for record in records
            )

    def _complete(self) -> None:
        self._text.flush()

    def _output(self, compression: int) -> IO[bytes]:
        raw = self._open.enter_context(self._partial.open("wb"))
        if compression != Request.GZIP:
            return raw
        return self._open.enter_context(packed(raw))


def packed(raw: IO[bytes]) -> IO[bytes]:
    """A file to write to that is packed by gzip. No name and no time: the same numbers are the same
    bytes."""
    return cast(IO[bytes], gzip.GzipFile("", "wb", PACKED_LEVEL, raw, mtime=0))  # type: ignore[arg-type]


def _facts(row: Any) -> tuple[str, bool]:
    when = row["opt_out_time"].isoformat().replace("+00:00", "Z")
    return when, render.wrote_it(row["source"], row["confirmed"])


def _word(end_user: bool) -> str:
    return "true" if end_user else "false"
