"""Where the servers of tests keep their data: in memory where there is room, else on the disk.

A database is hundreds of files, and most tests have one of their own. Nothing of it is to outlive
the tests, and making files in memory takes a fraction of the time.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 1024**3
"""What must be free: containers have 64 MB there unless they are given more."""

_PREFIX = "heliograph-tests-"

ServerFolders = Callable[[str], Path]


@pytest.fixture(scope="session")
def server_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFolders]:
    """`server_folders("postgres")`: a new folder; all of them are gone after the session."""
    if _has_room():
        _remove_those_of_the_dead()
        root = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=MEMORY))
    else:
        root = tmp_path_factory.mktemp("servers")
    numbers = count(1)

    def folder(name: str) -> Path:
        made = root / f"{name}-{next(numbers)}"
        made.mkdir()
        return made

    yield folder
    shutil.rmtree(root, ignore_errors=True)


def _has_room() -> bool:
    return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES


def _remove_those_of_the_dead() -> None:
    """A session that was killed has left its memory in use."""
    for folder in MEMORY.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)
