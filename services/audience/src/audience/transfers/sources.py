"""Where the bytes of a job come from: a file of the operator's folder, or an upload."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final, NamedTuple

from mesh.errors import Error, FailedPrecondition, PermissionDenied
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.refusals import shown
from audience.tables import ImportBlockRow, ImportJobRow

BLOCK_BYTES: Final = 1024 * 1024


class FileFacts(NamedTuple):
    """What tells a file from a later one at the same place."""

    path: Path
    size_bytes: int
    changed_seconds: float


def find(folder: str, application: str, path: str) -> FileFacts:
    """The file at a path below the application's folder.

    Refuses a path that leads out of it, also by a link (IMPORT_PATH_NOT_ALLOWED), and a file that
    cannot be read.
    """
    if not folder:
        raise _not_allowed(path, "no folder is open for imports: upload the file")
    root = (Path(folder) / application).resolve()
    target = (root / path).resolve()
    if not target.is_relative_to(root):
        raise _not_allowed(path, f"only files below {application}/ of the import folder are read")
    return facts(target)


def facts(target: Path) -> FileFacts:
    """Size and time of a file that can be read."""
    try:
        with target.open("rb") as opened:
            opened.read(1)
        found = target.stat()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        message = f"{shown(target.name)}: {reason}"
        raise FailedPrecondition("IMPORT_FILE_UNREADABLE", message, file=target.name) from None
    return FileFacts(target, found.st_size, found.st_mtime)


def blocks(
    sessions: async_sessionmaker[AsyncSession], job: ImportJobRow, offset: int
) -> AsyncGenerator[bytes, None]:
    """The bytes of a job's file from `offset` on."""
    if job.path:
        return _file_blocks(job, offset)
    return _upload_blocks(sessions, job, offset)


async def _file_blocks(job: ImportJobRow, offset: int) -> AsyncGenerator[bytes, None]:
    found = await asyncio.to_thread(facts, Path(job.path))
    if (found.size_bytes, found.changed_seconds) != (job.total_bytes, job.file_changed_seconds):
        raise _changed(job)
    with await asyncio.to_thread(found.path.open, "rb") as opened:
        await asyncio.to_thread(opened.seek, offset)
        left = job.total_bytes - offset
        while left > 0:
            block = await asyncio.to_thread(opened.read, min(BLOCK_BYTES, left))
            if not block:
                raise _changed(job)
            left -= len(block)
            yield block


async def _upload_blocks(
    sessions: async_sessionmaker[AsyncSession], job: ImportJobRow, offset: int
) -> AsyncGenerator[bytes, None]:
    position = col(ImportBlockRow.position)
    mine = select(ImportBlockRow).filter_by(application=job.application, import_job=job.import_job)
    while offset < job.total_bytes:
        query = mine.where(position <= offset).order_by(position.desc()).limit(1)
        async with sessions() as session:
            block = (await session.exec(query)).first()
        if block is None or offset >= block.position + len(block.data):
            raise _changed(job)
        yield block.data[offset - block.position :]
        offset = block.position + len(block.data)


def _not_allowed(path: str, description: str) -> Error:
    return PermissionDenied("IMPORT_PATH_NOT_ALLOWED", f"{shown(path)}: {description}", path=path)


def _changed(job: ImportJobRow) -> Error:
    message = f"{shown(job.source)} is not the file any more that the job was made for"
    return FailedPrecondition("IMPORT_FILE_CHANGED", message, file=job.source)
