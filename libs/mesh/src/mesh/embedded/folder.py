"""The data folder of one server: who owns it and what wrote it."""

import fcntl
import os
from pathlib import Path

from mesh.embedded.errors import CannotStartError, FolderInUseError, ForeignFolderError
from mesh.embedded.leftover import ProcessRecord, write_atomically

_KIND_FILE = "KIND"
_LOCK_FILE = "lock"
_PROCESS_FILE = "process.json"


class DataFolder:
    """A folder that holds the data of one `kind` of server and nothing else."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path.absolute()
        self.kind = kind
        self._lock: int | None = None

    def claim(self) -> None:
        """Make the folder ours until `release` or the end of this process.

        Raises FolderInUseError while another process holds it, and ForeignFolderError when it was
        written by something else; in both cases nothing in it has been touched.
        """
        self._refuse_foreign()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStartError(
                f"{self.path} cannot be made: {error.strerror}; give a folder that you may write to"
            ) from error
        self._take_lock()
        write_atomically(self.path / _KIND_FILE, self.kind + "\n")

    def release(self) -> None:
        """Let the next one in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def process_record(self) -> ProcessRecord:
        """Which process works on the data."""
        return ProcessRecord(self.path / _PROCESS_FILE)

    def _refuse_foreign(self) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise ForeignFolderError(f"{self.path} is not a folder; give the path of a folder")
        kind_file = self.path / _KIND_FILE
        if kind_file.exists():
            found = kind_file.read_text().strip()
            if found != self.kind:
                raise ForeignFolderError(
                    f"{self.path} holds data of {found}, not of {self.kind}; give another folder"
                )
        elif any(entry.name != _LOCK_FILE for entry in self.path.iterdir()):
            raise ForeignFolderError(
                f"{self.path} holds files that {self.kind} did not write; "
                f"give an empty or a new folder"
            )

    def _take_lock(self) -> None:
        lock = os.open(self.path / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise FolderInUseError(
                f"another process already works in {self.path}; stop it or give another folder"
            ) from None
        self._lock = lock
