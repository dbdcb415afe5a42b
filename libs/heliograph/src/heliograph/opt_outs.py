"""Opt-out lists on their way into the mesh and out of it, as CSV files."""

import csv
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from google.longrunning.operations_pb2 import Operation, WaitOperationRequest
from heliograph.paging import pages
from heliograph.twoway.v1.opt_out_service_pb2 import (
    ImportOptedOutNumbersMetadata,
    ImportOptedOutNumbersRequest,
    ImportOptedOutNumbersResponse,
    ListOptedOutNumbersRequest,
)

if TYPE_CHECKING:
    from heliograph.client import Client

PART_BYTES_MAX = 3 * 1024 * 1024
"""What one import takes."""

COLUMNS = ("phone_number", "opt_out_time", "end_user_opted_out", "comment")
WAIT_SECONDS = 1
PAGE_SIZE = 1000

Advance = Callable[[int], None]


def parts(content: bytes, bytes_max: int = PART_BYTES_MAX) -> Iterator[tuple[bytes, int]]:
    """The file in parts that one import takes, with the lines of the file that each leaves out
    before its own. A CSV file's header stands at the head of each."""
    lines = content.splitlines(keepends=True)
    is_csv = not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    blank = next((at for at, line in enumerate(lines) if line.strip()), 0)
    head = lines[: blank + 1] if is_csv else []
    part, size, first = list(head), len(b"".join(head)), len(head)
    for position, line in enumerate(lines[len(head) :], start=len(head)):
        if size + len(line) > bytes_max and len(part) > len(head):
            yield b"".join(part), first - len(head)
            part, size, first = list(head), len(b"".join(head)), position
        part.append(line)
        size += len(line)
    yield b"".join(part), first - len(head)


async def import_(
    mesh: "Client", parent: str, content: bytes, comment: str = "", advance: Advance | None = None
) -> ImportOptedOutNumbersResponse:
    """Opt out who stands in a file, to the end of it; `parent` is the name of an opt-out list.

    A file of any length goes part after part. `advance` hears how many lines have been read.
    """
    whole = ImportOptedOutNumbersResponse()
    for part, lines_before in parts(content):
        request = ImportOptedOutNumbersRequest(
            parent=parent, content=part, comment=comment, request_id=str(uuid.uuid4())
        )
        operation = await mesh.opt_outs.ImportOptedOutNumbers(request)
        ended = await _ended(mesh, operation, whole.read_count, advance)
        for refusal in ended.refusals:
            refusal.line += lines_before
        _add(whole, ended)
    return whole


async def export(mesh: "Client", parent: str, file: TextIO) -> int:
    """Write who is on an opt-out list as CSV that can be imported again; how many they are."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    request = ListOptedOutNumbersRequest(parent=parent, page_size=PAGE_SIZE)
    async for page in pages(mesh.opt_outs.ListOptedOutNumbers, request):
        for one in page.opted_out_numbers:
            number = one.name.rpartition("/")[2]
            end_user = "true" if one.end_user_opted_out else "false"
            writer.writerow((number, one.opt_out_time.ToJsonString(), end_user, one.comment))
        count += len(page.opted_out_numbers)
    return count


async def _ended(
    mesh: "Client", operation: Operation, read_before: int, advance: Advance | None
) -> ImportOptedOutNumbersResponse:
    while not operation.done:
        request = WaitOperationRequest(name=operation.name, timeout={"seconds": WAIT_SECONDS})
        operation = await mesh.opt_out_operations.WaitOperation(request)
        progress = ImportOptedOutNumbersMetadata()
        operation.metadata.Unpack(progress)
        if advance is not None:
            advance(read_before + progress.read_count)
    await mesh.finished(operation)
    response = ImportOptedOutNumbersResponse()
    operation.response.Unpack(response)
    return response


def _add(whole: ImportOptedOutNumbersResponse, ended: ImportOptedOutNumbersResponse) -> None:
    whole.read_count += ended.read_count
    whole.opted_out_count += ended.opted_out_count
    whole.present_count += ended.present_count
    whole.refused_count += ended.refused_count
    whole.refusals.extend(ended.refusals)
