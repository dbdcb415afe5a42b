"""Files of endpoints on their way into audience: uploaded, followed, and what was refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from google.longrunning import operations_pb2
from heliograph import operations
from heliograph.audience.v1.import_job_pb2 import ImportFailure, ImportJob, ImportSpec
from heliograph.audience.v1.transfer_service_pb2 import (
    ListImportFailuresRequest,
    UploadEndpointsRequest,
)
from heliograph.paging import pages

if TYPE_CHECKING:
    from heliograph.client import Client

CHUNK_BYTES = 1024 * 1024
FAILURES_PAGE_SIZE = 1000


async def upload(
    mesh: "Client", parent: str, path: Path, spec: ImportSpec | None = None, request_id: str = ""
) -> operations_pb2.Operation:
    """Send a file to `applications/{application}`; the operation that imports it.

    The same `request_id` gives the same import again, so that an upload may be repeated.
    """

    async def chunks() -> AsyncIterator[UploadEndpointsRequest]:
        yield UploadEndpointsRequest(
            parent=parent,
            header=UploadEndpointsRequest.Header(
                spec=spec, file_name=path.name, request_id=request_id
            ),
        )
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield UploadEndpointsRequest(parent=parent, chunk=chunk)

    return await mesh.transfers.UploadEndpoints(chunks())  # type: ignore[no-any-return]  # grpc.aio


def follow(mesh: "Client", operation: operations_pb2.Operation) -> AsyncIterator[ImportJob]:
    """The import job as it comes along, until it has ended; HeliographError when it failed."""
    return operations.follow(mesh, operation, ImportJob)


async def followed(mesh: "Client", operation: operations_pb2.Operation) -> ImportJob:
    """The import job once it has ended."""
    return [job async for job in follow(mesh, operation)][-1]


async def failures(mesh: "Client", job: str) -> AsyncIterator[ImportFailure]:
    """Every row that an import refused, by line, read page by page; `job` is its name."""
    request = ListImportFailuresRequest(parent=job, page_size=FAILURES_PAGE_SIZE)
    async for page in pages(mesh.transfers.ListImportFailures, request):
        for failure in page.import_failures:
            yield failure
