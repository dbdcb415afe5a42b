"""The rows that imports refused, as a file for whoever made the files."""

import csv
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heliograph.audience.v1.import_job_pb2 import ImportFailure
    from heliograph.client import Client

Row = tuple[str, int, str, str, str]
"""As `COLUMNS` says."""

COLUMNS = ("file", "line", "field", "reason", "description")


async def write(target: Path, rows: AsyncIterator[Row]) -> int:
    """Write refused rows to a file; how many they are.

    CSV, or JSON lines where the name says so. A row is written as it comes, and none is kept.
    """
    count = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        as_json = target.suffix.lower() in (".json", ".jsonl", ".ndjson")
        table = csv.writer(out)
        if not as_json:
            table.writerow(COLUMNS)
        async for row in rows:
            if as_json:
                record = dict(zip(COLUMNS, row, strict=True))
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
            else:
                table.writerow(row)
            count += 1
    return count


async def of_jobs(mesh: "Client", jobs: list[tuple[str, str]]) -> AsyncIterator[Row]:
    """The refused rows of import jobs, each a file and the job's name."""
    from heliograph.imports import failures

    for file, job in jobs:
        async for one in failures(mesh, job):
            yield one.file or file, one.line, one.field, one.reason, why(one)


def why(row: "ImportFailure") -> str:
    """Why a row was refused, with the command's words for what the contract calls otherwise."""
    return row.description.replace("spec.segment_id", "--segment")


def check(target: Path) -> None:
    """End the command before its work when the file could not be written after it."""
    try:
        target.open("a").close()
    except OSError as error:
        sys.exit(f"heliograph: {target} cannot be written: {error.strerror}")
