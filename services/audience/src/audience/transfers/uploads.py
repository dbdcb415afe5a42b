"""Uploads, stored as blocks in the transaction that makes the job: all of it, or nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from heliograph.audience.v1 import transfer_service_pb2 as service_pb
from mesh.errors import DeadlineExceeded, Error, InvalidArgument, ResourceExhausted
from mesh.errors.refusals import invalid
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.tables import ImportBlockRow, ImportJobRow

BLOCK_BYTES: Final = 1024 * 1024
MESSAGE_TIMEOUT_SECONDS: Final = 60

Requests = AsyncIterator[service_pb.UploadEndpointsRequest]


async def first(requests: Requests) -> service_pb.UploadEndpointsRequest:
    """The message that opens an upload: it carries the header."""
    request = await _next(requests)
    if request is None:
        raise _out_of_order("header", "the stream is empty")
    if request.WhichOneof("payload") != "header":
        raise _out_of_order("header", "the first message carries the header")
    return request


async def store(
    session: AsyncSession, job: ImportJobRow, requests: Requests, parent: str, bytes_max: int
) -> None:
    """Store the rest of the stream; the job learns its size."""
    gathered: list[bytes] = []
    size = 0
    while request := await _next(requests):
        if request.parent != parent:
            raise invalid("APPLICATION_MISMATCH", "parent", "the stream began with another parent")
        if request.WhichOneof("payload") != "chunk":
            raise _out_of_order("header", "only the first message carries a header")
        gathered.append(request.chunk)
        size += len(request.chunk)
        job.total_bytes += len(request.chunk)
        if job.total_bytes > bytes_max:
            raise _too_large(bytes_max)
        if size >= BLOCK_BYTES:
            await _add(session, job, gathered, size)
            gathered, size = [], 0
    if gathered:
        await _add(session, job, gathered, size)


async def _next(requests: Requests) -> service_pb.UploadEndpointsRequest | None:
    """The next message, None after the last. A caller that is too slow holds up others."""
    try:
        async with asyncio.timeout(MESSAGE_TIMEOUT_SECONDS):
            return await anext(requests, None)
    except TimeoutError:
        message = f"nothing came for {MESSAGE_TIMEOUT_SECONDS} seconds"
        raise DeadlineExceeded("UPLOAD_STALLED", message) from None


async def _add(session: AsyncSession, job: ImportJobRow, gathered: list[bytes], size: int) -> None:
    block = ImportBlockRow(
        application=job.application,
        import_job=job.import_job,
        position=job.total_bytes - size,
        data=b"".join(gathered),
    )
    session.add(block)
    await session.flush()
    session.expunge(block)  # else the session would keep the whole file


def _out_of_order(field: str, description: str) -> InvalidArgument:
    return invalid("UPLOAD_OUT_OF_ORDER", field, description)


def _too_large(bytes_max: int) -> Error:
    message = f"an upload has at most {bytes_max} bytes"
    return ResourceExhausted("UPLOAD_TOO_LARGE", message, bytes_max=str(bytes_max))
