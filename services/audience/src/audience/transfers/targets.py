"""Where an export goes: a folder of the application's own below the operator's."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from mesh.errors import Error, FailedPrecondition, PermissionDenied

from audience.refusals import shown


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
            message = f"{shown(path)} holds files already: name another folder"
            raise FailedPrecondition("EXPORT_FOLDER_NOT_EMPTY", message, path=path)
    except OSError as error:
        raise not_writable(path, error) from None
    return target


def erasing(folder: str) -> Callable[[str], Awaitable[int]]:
    """Deletes what was exported of an application, and tells how many files that were."""

    async def erase(application: str) -> int:
        return await asyncio.to_thread(_erase, Path(folder) / application) if folder else 0

    return erase


def _erase(root: Path) -> int:
    if not root.is_dir():
        return 0
    count = sum(1 for path in root.rglob("*") if not path.is_dir())
    shutil.rmtree(root)
    return count


def not_writable(path: str, error: OSError) -> Error:
    """The end of an export that the disk refuses."""
    message = f"{shown(path)}: {error.strerror or 'it cannot be written'}"
    return FailedPrecondition("EXPORT_NOT_WRITABLE", message, path=path)


def _not_allowed(path: str, description: str) -> Error:
    return PermissionDenied("EXPORT_PATH_NOT_ALLOWED", f"{shown(path)}: {description}", path=path)
