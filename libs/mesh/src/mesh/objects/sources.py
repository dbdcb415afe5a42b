"""Where the bytes of an import come from: a file of the operator's folder, or an object."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from mesh.errors import Error, FailedPrecondition, PermissionDenied
from mesh.errors.refusals import shown
from mesh.objects import refusals
from mesh.objects.opening import Objects, waited
from mesh.objects.stores import Object

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


class Files:
    """Reads files and objects, and refuses one that is another by now than was found."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def blocks(
        self, application: str, file: FileFacts, offset: int = 0
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file from `offset` on."""
        if is_object(file.path):
            return self._object_blocks(application, file, offset)
        return _file_blocks(file, offset)

    async def at(self, application: str, file: FileFacts, offset: int, size: int) -> bytes:
        """Some bytes of a file from `offset` on, `size` at most of an object, for who goes on
        elsewhere."""
        if is_object(file.path):
            return await self._read(application, file, offset, size)
        async with aclosing(_file_blocks(file, offset)) as blocks:
            return await anext(blocks, b"")

    async def _object_blocks(
        self, application: str, file: FileFacts, offset: int
    ) -> AsyncGenerator[bytes, None]:
        """The first bytes alone, as many are read for them; then a range ahead of the reader."""
        ahead: asyncio.Task[bytes] | None = None
        size = BLOCK_BYTES
        try:
            while offset < file.size_bytes:
                data = await (ahead or self._read(application, file, offset, size))
                offset, size, ahead = offset + len(data), RANGE_BYTES, None
                for begin in range(0, len(data), BLOCK_BYTES):
                    yield data[begin : begin + BLOCK_BYTES]
                    if ahead is None and offset < file.size_bytes:
                        ahead = asyncio.create_task(self._read(application, file, offset, size))
        finally:
            if ahead:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _read(self, application: str, file: FileFacts, offset: int, size: int) -> bytes:
        store, uri = self._objects.find("import", application, file.path)
        wanted = Object(uri.key, file.size_bytes, file.etag)
        data = await store.read(wanted, offset, min(offset + size, file.size_bytes))
        if not data:
            raise refusals.changed(file.path)
        return data


def is_object(path: str) -> bool:
    """Whether a path is an address of an object store, and not one of a folder."""
    return "://" in path


def changed(name: str) -> Error:
    """The file is another one than was found."""
    message = f"{shown(name)} is not the file any more that the job was made for"
    return FailedPrecondition("IMPORT_FILE_CHANGED", message, file=name)


async def _file_blocks(file: FileFacts, offset: int) -> AsyncGenerator[bytes, None]:
    found = await asyncio.to_thread(facts, Path(file.path))
    if (found.size_bytes, found.changed_seconds) != (file.size_bytes, file.changed_seconds):
        raise changed(file.name)
    with await asyncio.to_thread(Path(found.path).open, "rb") as opened:
        await asyncio.to_thread(opened.seek, offset)
        left = file.size_bytes - offset
        while left > 0:
            block = await asyncio.to_thread(opened.read, min(BLOCK_BYTES, left))
            if not block:
                raise changed(file.name)
            left -= len(block)
            yield block


def _not_allowed(path: str, description: str) -> Error:
    return PermissionDenied("IMPORT_PATH_NOT_ALLOWED", f"{shown(path)}: {description}", path=path)
