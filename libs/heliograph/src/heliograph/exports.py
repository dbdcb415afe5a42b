"""Endpoints on their way out of audience: as files where it runs, or as a stream to here."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from google.longrunning import operations_pb2
from heliograph import operations
from heliograph.audience.v1.export_job_pb2 import ExportJob
from heliograph.audience.v1.transfer_service_pb2 import StreamExportRequest, StreamExportResponse
from heliograph.endpoint_records import record

if TYPE_CHECKING:
    from heliograph.client import Client


def follow(mesh: "Client", operation: operations_pb2.Operation) -> AsyncIterator[ExportJob]:
    """The export job as it comes along, until it has ended; HeliographError when it failed."""
    return operations.follow(mesh, operation, ExportJob)


async def stream(
    mesh: "Client", parent: str, target: Path, segment: str = ""
) -> AsyncIterator[int]:
    """Write endpoints as JSON lines to a file, gzip if it is named so; how many so far.

    The file is there when it is whole: until then it has `.partial` behind its name.
    """
    partial = target.with_name(target.name + ".partial")
    count = 0
    try:
        with _opened(partial, packed=target.suffix == ".gz") as out:
            request = StreamExportRequest(parent=parent, segment=segment)
            async for page in mesh.transfers.StreamExport(request):
                await asyncio.to_thread(out.write, _lines(page))
                count += len(page.endpoints)
                yield count
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _opened(path: Path, *, packed: bool) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path, "wb") if packed else path.open("wb")


def _lines(page: StreamExportResponse) -> bytes:
    records = map(record, page.endpoints)
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records).encode()
