"""Files that are whole or not there: written beside their place, and moved when complete."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from mesh.pulling import in_thread

PARTIAL: Final = ".partial"
"""How the name of a file ends that is being written."""


class WholeFile(ABC):
    """One file; write it to `_partial`, then `finish`, then `close` in any case."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + PARTIAL)
        self._open = ExitStack()

    def finish(self) -> None:
        """Put the file in its place."""
        self._complete()
        self._open.close()
        with self._partial.open("rb") as written:
            os.fsync(written.fileno())
        self._partial.replace(self._path)

    def close(self) -> None:
        """Leave nothing that is not complete."""
        self._open.close()
        self._partial.unlink(missing_ok=True)

    @abstractmethod
    def _complete(self) -> None:
        """Write what is still to be written."""


FileT = TypeVar("FileT", bound=WholeFile)


@asynccontextmanager
async def opened(make: Callable[[], FileT]) -> AsyncIterator[FileT]:
    """The file that `make` opens in a thread; closed whatever happens, also while it is opened."""
    files: list[FileT] = []
    try:
        await in_thread(lambda: files.append(make()))
        yield files[0]
    finally:
        for file in files:
            await in_thread(file.close)
