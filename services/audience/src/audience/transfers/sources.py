"""Where the bytes of a job come from: a file of the operator's folder, an object, or an upload."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from mesh.errors import Error, FailedPrecondition, PermissionDenied
from mesh.objects import refusals
from mesh.objects.opening import Objects, waited
from mesh.objects.stores import Object
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.refusals import shown
from audience.tables import ImportBlockRow, ImportJobRow
from audience.transfers.pulling import SPAN_BYTES

BLOCK_BYTES: Final = 1024 * 1024
RANGE_BYTES: Final = 4 * 1024 * 1024
"""Asked for at once of an object store: large against the time of an answer, small in memory."""


class FileFacts(NamedTuple):
    """What tells a file, or an object, from a later one at the same place."""

    path: str
    size_bytes: int
    changed_seconds: float = 0.0
    etag: str = ""
    name: str = ""
    """What a caller knows it by, where it is one of several."""


def find(folder: str, application: str, path: str) -> FileFacts:
    """The file at a path below the application's folder.

    Refuses a path that leads out of it, also by a link (IMPORT_PATH_NOT_ALLOWED), and a file that
    cannot be read.
    """
    return facts(_below(folder, application, path))


def _below(folder: str, application: str, path: str) -> Path:
    if not folder:
        raise _not_allowed(path, "no folder is open for imports: upload the file")
    root = (Path(folder) / application).resolve()
    target = (root / path).resolve()
    if not target.is_relative_to(root):
        raise _not_allowed(path, f"only files below {application}/ of the import folder are read")
    return target


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
    return FileFacts(str(target), found.st_size, found.st_mtime)


def find_folder(folder: str, application: str, path: str, most: int) -> list[FileFacts]:
    """The files below a path below the application's folder, by name, at most so many.

    Refuses as `find` does, also when one of the files is a link that leads elsewhere.
    """
    top = _below(folder, application, path)
    files = islice((file for file in top.rglob("*") if file.is_file()), most)
    names = sorted(file.relative_to(top).as_posix() for file in files)
    found = [(name, find(folder, application, f"{path}{name}")) for name in names]
    return [file._replace(name=f"{path}{name}") for name, file in found]


async def find_object(objects: Objects, application: str, text: str) -> FileFacts:
    """The object of an address; refuses one that is not open, or cannot be read now."""
    store, uri = objects.find("import", application, text)
    async with waited(text):
        found = await store.head(uri.key)
    return FileFacts(text, found.size_bytes, etag=found.etag)


class Sources:
    """Reads what jobs were made for, and refuses it once it is something else."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], objects: Objects) -> None:
        self._sessions = sessions
        self._objects = objects

    def blocks(self, job: ImportJobRow, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a job's file from `offset` on."""
        if is_object(job.path):
            return self._object_blocks(job, offset)
        if job.path:
            return _file_blocks(job, offset)
        return self._upload_blocks(job, offset)

    async def at(self, job: ImportJobRow, offset: int) -> bytes:
        """Some bytes of a job's file from `offset` on, for who goes on elsewhere."""
        if is_object(job.path):
            return await self._read(job, offset, SPAN_BYTES)
        async with aclosing(self.blocks(job, offset)) as blocks:
            return await anext(blocks, b"")

    async def _object_blocks(self, job: ImportJobRow, offset: int) -> AsyncGenerator[bytes, None]:
        """The first bytes alone, as many are read for them; then a range ahead of the reader."""
        ahead: asyncio.Task[bytes] | None = None
        size = BLOCK_BYTES
        try:
            while offset < job.total_bytes:
                data = await (ahead or self._read(job, offset, size))
                offset, size, ahead = offset + len(data), RANGE_BYTES, None
                for begin in range(0, len(data), BLOCK_BYTES):
                    yield data[begin : begin + BLOCK_BYTES]
                    if ahead is None and offset < job.total_bytes:
                        ahead = asyncio.create_task(self._read(job, offset, size))
        finally:
            if ahead:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _read(self, job: ImportJobRow, offset: int, size: int) -> bytes:
        store, uri = self._objects.find("import", job.application, job.path)
        wanted = Object(uri.key, job.total_bytes, job.etag)
        data = await store.read(wanted, offset, min(offset + size, job.total_bytes))
        if not data:
            raise refusals.changed(job.path)
        return data

    async def _upload_blocks(self, job: ImportJobRow, offset: int) -> AsyncGenerator[bytes, None]:
        position = col(ImportBlockRow.position)
        mine = select(ImportBlockRow).filter_by(
            application=job.application, import_job=job.import_job
        )
        while offset < job.total_bytes:
            query = mine.where(position <= offset).order_by(position.desc()).limit(1)
            async with self._sessions() as session:
                block = (await session.exec(query)).first()
            if block is None or offset >= block.position + len(block.data):
                raise _changed(job)
            yield block.data[offset - block.position :]
            offset = block.position + len(block.data)


def is_object(path: str) -> bool:
    """Whether a job's path is an address of an object store, and not one of a folder."""
    return "://" in path


async def _file_blocks(job: ImportJobRow, offset: int) -> AsyncGenerator[bytes, None]:
    found = await asyncio.to_thread(facts, Path(job.path))
    if (found.size_bytes, found.changed_seconds) != (job.total_bytes, job.file_changed_seconds):
        raise _changed(job)
    with await asyncio.to_thread(Path(found.path).open, "rb") as opened:
        await asyncio.to_thread(opened.seek, offset)
        left = job.total_bytes - offset
        while left > 0:
            block = await asyncio.to_thread(opened.read, min(BLOCK_BYTES, left))
            if not block:
                raise _changed(job)
            left -= len(block)
            yield block


def _not_allowed(path: str, description: str) -> Error:
    return PermissionDenied("IMPORT_PATH_NOT_ALLOWED", f"{shown(path)}: {description}", path=path)


def _changed(job: ImportJobRow) -> Error:
    message = f"{shown(job.source)} is not the file any more that the job was made for"
    return FailedPrecondition("IMPORT_FILE_CHANGED", message, file=job.source)
