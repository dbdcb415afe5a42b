"""Opt-out lists on their way into the mesh and out of it: as files here, or by addresses there."""

import csv
import gzip
import io
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from google.longrunning.operations_pb2 import Operation, WaitOperationRequest
from google.protobuf.message import Message
from heliograph.paging import pages
from heliograph.twoway.v1.opt_out_service_pb2 import (
    ExportOptedOutNumbersMetadata,
    ExportOptedOutNumbersRequest,
    ExportOptedOutNumbersResponse,
    ImportOptedOutNumbersMetadata,
    ImportOptedOutNumbersRequest,
    ImportOptedOutNumbersResponse,
    ListImportRefusalsRequest,
    StreamOptedOutNumbersRequest,
    SummarizeConsentChangesRequest,
)

if TYPE_CHECKING:
    from heliograph.client import Client
    from heliograph.twoway.v1.opt_out_list_pb2 import OptedOutNumber

PART_BYTES_MAX = 3 * 1024 * 1024
"""What one import takes."""

COLUMNS = ("phone_number", "opt_out_time", "end_user_opted_out")
WAIT_SECONDS = 1
REFUSALS_PAGE = 1_000

Advance = Callable[[int], None]
Refusal = ImportOptedOutNumbersResponse.Refusal
Progress = TypeVar("Progress", bound=Message)


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


@dataclass
class Imported:
    """What has come of an import so far, also of one that fails. `operations` are those that do it,
    each with the lines of the file that stand before its own."""

    response: ImportOptedOutNumbersResponse = field(default_factory=ImportOptedOutNumbersResponse)
    operations: list[tuple[str, int]] = field(default_factory=list)


async def import_(
    mesh: "Client",
    parent: str,
    content: bytes,
    comment: str = "",
    advance: Advance | None = None,
    *,
    imported: Imported | None = None,
) -> Imported:
    """Opt out who stands in a file, to the end of it; `parent` is the name of an opt-out list.

    A file of any length goes part after part. `advance` hears how many lines have been read, and
    `imported` is filled on the way.
    """
    whole = imported or Imported()
    for part, lines_before in parts(content):
        request = ImportOptedOutNumbersRequest(parent=parent, content=part, comment=comment)
        await _import(mesh, request, whole, lines_before, advance)
    return whole


async def import_from(
    mesh: "Client",
    parent: str,
    uri: str,
    comment: str = "",
    advance: Advance | None = None,
    *,
    imported: Imported | None = None,
) -> Imported:
    """The same of a file at an address, which the mesh reads itself."""
    whole = imported or Imported()
    request = ImportOptedOutNumbersRequest(parent=parent, uri=uri, comment=comment)
    await _import(mesh, request, whole, 0, advance)
    return whole


async def refusals(mesh: "Client", imported: Imported) -> AsyncIterator[Refusal]:
    """Every line that an import refused and has kept, by line of the file."""
    for operation, lines_before in imported.operations:
        request = ListImportRefusalsRequest(parent=operation, page_size=REFUSALS_PAGE)
        async for page in pages(mesh.opt_outs.ListImportRefusals, request):
            for refusal in page.refusals:
                refusal.line += lines_before
                yield refusal


async def export(mesh: "Client", parent: str, target: Path, advance: Advance | None = None) -> int:
    """Write who is on an opt-out list to a file that can be imported again; how many they are.

    JSON lines if it is named `*.jsonl`, else CSV; packed if `.gz` is behind that. The file is there
    when it is whole: until then it has `.partial` behind its name. `advance` hears how many numbers
    have been written.
    """
    partial = target.with_name(target.name + ".partial")
    is_json = ".jsonl" in target.suffixes[-2:]
    count = 0
    try:
        with (
            _opened(partial, packed=target.suffix == ".gz") as raw,
            io.TextIOWrapper(raw, encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file)
            if not is_json:
                writer.writerow(COLUMNS)
            request = StreamOptedOutNumbersRequest(parent=parent)
            async for page in mesh.opt_outs.StreamOptedOutNumbers(request):
                rows = [_row(one) for one in page.opted_out_numbers]
                if is_json:
                    file.writelines(_json_line(row) for row in rows)
                else:
                    writer.writerows((*row[:2], "true" if row[2] else "false") for row in rows)
                count += len(rows)
                if advance is not None:
                    advance(count)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return count


async def export_to(
    mesh: "Client",
    request: ExportOptedOutNumbersRequest,
    advance: Callable[[int, int], None] | None = None,
) -> ExportOptedOutNumbersResponse:
    """Have files written where the mesh runs, to the end. `advance` hears how many numbers have
    been written, and of how many."""

    def heard(progress: ExportOptedOutNumbersMetadata) -> None:
        if advance is not None:
            advance(progress.written_count, progress.total_count)

    request.request_id = request.request_id or str(uuid.uuid4())
    operation = await mesh.opt_outs.ExportOptedOutNumbers(request)
    operation = await _followed(mesh, operation, ExportOptedOutNumbersMetadata, heard)
    response = ExportOptedOutNumbersResponse()
    operation.response.Unpack(response)
    return response


async def of_campaign(mesh: "Client", campaign: str) -> int:
    """How many opted out by answering a campaign; 0 where a thousand others drove more away."""
    request = SummarizeConsentChangesRequest(
        parent="/".join(campaign.split("/")[:2]), group_by=SummarizeConsentChangesRequest.CAMPAIGN
    )
    rows = (await mesh.opt_outs.SummarizeConsentChanges(request)).rows
    return next((row.opted_out_count for row in rows if row.group == campaign), 0)


async def _import(
    mesh: "Client",
    request: ImportOptedOutNumbersRequest,
    whole: Imported,
    lines_before: int,
    advance: Advance | None,
) -> None:
    read_before = whole.response.read_count

    def heard(progress: ImportOptedOutNumbersMetadata) -> None:
        if advance is not None:
            advance(read_before + progress.read_count)

    request.request_id = str(uuid.uuid4())
    operation = await mesh.opt_outs.ImportOptedOutNumbers(request)
    whole.operations.append((operation.name, lines_before))
    operation = await _followed(mesh, operation, ImportOptedOutNumbersMetadata, heard)
    response = ImportOptedOutNumbersResponse()
    operation.response.Unpack(response)
    for refusal in response.refusals:
        refusal.line += lines_before
    _add(whole.response, response)


async def _followed(
    mesh: "Client",
    operation: Operation,
    kind: type[Progress],
    heard: Callable[[Progress], None],
) -> Operation:
    """The operation when it has ended well; raises HeliographError when it failed."""
    while not operation.done:
        request = WaitOperationRequest(name=operation.name, timeout={"seconds": WAIT_SECONDS})
        operation = await mesh.opt_out_operations.WaitOperation(request)
        progress = kind()
        operation.metadata.Unpack(progress)
        heard(progress)
    await mesh.finished(operation)
    return operation


def _opened(path: Path, *, packed: bool) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "wb")) if packed else path.open("wb")


def _row(one: "OptedOutNumber") -> tuple[str, str, bool]:
    return one.name.rpartition("/")[2], one.opt_out_time.ToJsonString(), one.end_user_opted_out


def _json_line(row: Sequence[object]) -> str:
    return json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n"


def _add(whole: ImportOptedOutNumbersResponse, ended: ImportOptedOutNumbersResponse) -> None:
    whole.read_count += ended.read_count
    whole.opted_out_count += ended.opted_out_count
    whole.present_count += ended.present_count
    whole.refused_count += ended.refused_count
    whole.refusals.extend(ended.refusals)
