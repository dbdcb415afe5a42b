"""Processes that a killed predecessor left behind: recognised without doubt, then ended."""

import asyncio
import json
import os
import signal
from pathlib import Path

from mesh.embedded.errors import CannotStartError

_POLL_SECONDS = 0.02


class ProcessRecord:
    """A file that names a process in such a way that no later one is taken for it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def remember(self, pid: int) -> None:
        """Note the process, so that a later start can end it if it was left behind."""
        record = {"pid": pid, "identity": process_identity(pid)}
        write_atomically(self._path, json.dumps(record))

    async def end_leftover(self, timeout_seconds: float = 10.0) -> None:
        """Kill the noted process unless it is gone. Raises CannotStartError if it does not end."""
        try:
            record = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return
        await _end_process(record["pid"], record["identity"], timeout_seconds)


def write_atomically(path: Path, text: str) -> None:
    """Replace the file, so that a reader sees the old content or the new."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def process_identity(pid: int) -> str:
    """Tells a process from a later one with the same number; empty when there is no such process.

    Field 22 of /proc/<pid>/stat is the start time in ticks since boot, see proc(5). A process whose
    first thread has ended looks like one that has, while the others still hold its ports: field 20
    is how many there are.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    state, threads, start_ticks = fields[0], int(fields[17]), fields[19]
    if state in "ZX" and threads <= 1:
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{start_ticks}"


async def _end_process(pid: int, identity: str, timeout_seconds: float) -> None:
    async with asyncio.timeout(timeout_seconds) as limit:
        try:
            while identity and process_identity(pid) == identity:
                os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(_POLL_SECONDS)
        except ProcessLookupError:
            return
        except TimeoutError:
            pass
    if limit.expired():
        raise CannotStartError(f"process {pid} of an earlier run does not end; end it by hand")
