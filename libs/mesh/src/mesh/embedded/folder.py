"""The data folder of one server: who owns it, what wrote it, and which process it left behind."""

import asyncio
import fcntl
import json
import os
import signal
from pathlib import Path

from mesh.embedded.errors import CannotStartError, FolderInUseError, ForeignFolderError

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
        self.path.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        _write_atomically(self.path / _KIND_FILE, self.kind + "\n")

    def release(self) -> None:
        """Let the next one in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remember_process(self, pid: int) -> None:
        """Note the server's process, so that a later start can end it if it was left behind."""
        record = {"pid": pid, "identity": process_identity(pid)}
        _write_atomically(self.path / _PROCESS_FILE, json.dumps(record))

    async def end_leftover(self, timeout_seconds: float = 10.0) -> None:
        """Wait for a process of a killed predecessor, killing it; it must not share the data."""
        try:
            record = json.loads((self.path / _PROCESS_FILE).read_text())
        except (OSError, ValueError):
            return
        await end_process(record["pid"], record["identity"], timeout_seconds)

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


def process_identity(pid: int) -> str:
    """Tells a process from a later one with the same number; empty when there is no such process.

    Field 22 of /proc/<pid>/stat is the start time in ticks since boot, see proc(5).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    state, start_ticks = fields[0], fields[19]
    if state in "ZX":
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{start_ticks}"


async def end_process(pid: int, identity: str, timeout_seconds: float = 10.0) -> None:
    """Kill the process that was recorded as `pid`, unless it is gone or the number is reused."""
    async with asyncio.timeout(timeout_seconds) as limit:
        try:
            while identity and process_identity(pid) == identity:
                os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.02)
        except ProcessLookupError:
            return
        except TimeoutError:
            pass
    if limit.expired():
        raise CannotStartError(f"process {pid} of an earlier run does not end; end it by hand")


def _write_atomically(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, path)
