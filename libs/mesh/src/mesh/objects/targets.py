"""Where an export goes: a folder of the application's own, on a disk or in an object store.

For a store, a file is written beside first, as its columns are known last; a store shows what it
gets when it has got all of it.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from mesh.errors import Error, FailedPrecondition, PermissionDenied
from mesh.errors.refusals import shown
from mesh.objects.opening import Objects, waited
from mesh.objects.sources import is_object
from mesh.objects.stores import Store

ERASED_AT_ONCE: Final = 1000


def find(folder: str, application: str, path: str) -> Path:
    """The folder at a path below the application's, made where it is not there yet.

    Refuses a path that leads out of it, also by a link (EXPORT_PATH_NOT_ALLOWED), and a folder
    that holds something (EXPORT_FOLDER_NOT_EMPTY) or cannot be made (EXPORT_NOT_WRITABLE).
    """
    if not folder:
        raise _not_allowed(path, "no folder is open for exports: stream them")
    root = (Path(folder) / application).resolve()
    target = (root / path).resolve()
    if not target.is_relative_to(root):
        raise _not_allowed(path, f"exports go below {application}/ of the export folder")
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise not_empty(path)
    except OSError as error:
        raise not_writable(path, error) from None
    return target


async def find_objects(objects: Objects, application: str, text: str) -> str:
    """The folder of an address; refuses one that is not open, or in which something is."""
    folder = text if text.endswith("/") else f"{text}/"
    store, uri = objects.find("export", application, folder)
    async with waited(text):
        if await store.below(uri.key, 1):
            raise not_empty(text)
    return folder


class Target(Protocol):
    """Where the files of an export go."""

    def path(self, name: str) -> Path:
        """Where a file is to be written."""
        ...

    async def deliver(self, name: str) -> None:
        """Put a file that is whole where it belongs."""
        ...

    async def withdraw(self, name: str) -> None:
        """Take a file away that was delivered."""
        ...


@asynccontextmanager
async def opened(objects: Objects, application: str, path: str) -> AsyncIterator[Target]:
    """The target at a path that was found before."""
    if not is_object(path):
        yield _Folder(Path(path))
        return
    store, uri = objects.find("export", application, path)
    beside = await asyncio.to_thread(TemporaryDirectory, prefix="export-")
    try:
        yield _Objects(Path(beside.name), store, uri.key)
    finally:
        await asyncio.to_thread(beside.cleanup)


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        return self._folder / name

    async def deliver(self, name: str) -> None:
        """It is there: it was moved there whole."""

    async def withdraw(self, name: str) -> None:
        await asyncio.to_thread(self.path(name).unlink, missing_ok=True)


class _Objects:
    def __init__(self, beside: Path, store: Store, prefix: str) -> None:
        self._beside = beside
        self._store = store
        self._prefix = prefix

    def path(self, name: str) -> Path:
        return self._beside / name

    async def deliver(self, name: str) -> None:
        await self._store.put(self._prefix + name, self.path(name))
        await asyncio.to_thread(self.path(name).unlink)

    async def withdraw(self, name: str) -> None:
        await self._store.delete([self._prefix + name])


def erasing(folder: str) -> Callable[[str], Awaitable[int]]:
    """Deletes what was exported of an application, and tells how many files that were."""

    async def erase(application: str) -> int:
        return await asyncio.to_thread(_erase, Path(folder) / application) if folder else 0

    return erase


def erasing_objects(objects: Objects) -> Callable[[str], Awaitable[int]]:
    """Deletes what is below an application's places for exports; how many objects that were."""

    async def erase(application: str) -> int:
        count = 0
        for root in objects.roots("export", application):
            store, uri = objects.find("export", application, root)
            while found := await store.below(uri.key, ERASED_AT_ONCE):
                await store.delete([one.key for one in found])
                count += len(found)
        return count

    return erase


def _erase(root: Path) -> int:
    if not root.is_dir():
        return 0
    count = sum(1 for path in root.rglob("*") if not path.is_dir())
    shutil.rmtree(root, onerror=_told)
    return count


def _told(_function: object, _path: str, why: tuple[Any, BaseException, Any]) -> None:
    """What is gone already is as good: two services may have the same folder."""
    if not isinstance(why[1], FileNotFoundError):
        raise why[1]


def not_empty(path: str) -> Error:
    """A folder that is for something else."""
    message = f"{shown(path)} holds files already: name another folder"
    return FailedPrecondition("EXPORT_FOLDER_NOT_EMPTY", message, path=path)


def not_writable(path: str, error: OSError) -> Error:
    """The end of an export that the disk refuses."""
    message = f"{shown(path)}: {error.strerror or 'it cannot be written'}"
    return FailedPrecondition("EXPORT_NOT_WRITABLE", message, path=path)


def _not_allowed(path: str, description: str) -> Error:
    return PermissionDenied("EXPORT_PATH_NOT_ALLOWED", f"{shown(path)}: {description}", path=path)
