"""What processes have used, from Linux's own book; nothing of it elsewhere."""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

_FORGET_PEAK = "5"
"""Written to `clear_refs`, it makes the peak what is resident now (proc_pid_clear_refs(5))."""

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_OWN_TICKS = slice(11, 13)
_WITH_ENDED_CHILDREN_TICKS = slice(11, 15)
"""Fields 14 to 17 of proc_pid_stat(5), counted from what follows the name."""

_BUSY_TICKS = (1, 2, 3, 6, 7)
"""Fields of proc_stat(5): user, nice, system, irq, softirq; not idle, waiting, stolen."""


def forget_peaks(pids: Iterable[int]) -> None:
    """From now on peaks are those of what comes."""
    for pid in pids:
        for one in (pid, *_children(pid)):
            with contextlib.suppress(OSError):
                Path(f"/proc/{one}/clear_refs").write_text(_FORGET_PEAK)


def peak_mib(pid: int) -> float:
    """Largest resident memory of a process and its children, in MiB; 0 where unknown.

    Children, as those of PostgreSQL, share memory with their parent: of each only what is its own
    is added, as it is now.
    """
    kib = _kib(pid, "VmHWM") + sum(_kib(child, "RssAnon") for child in _children(pid))
    return round(kib / 1024, 1)


def cpu_seconds(pid: int) -> float:
    """Time on a processor so far, of a process and its children, those included that ended."""
    if pid == os.getpid():
        return time.process_time()
    own = _ticks(pid, _WITH_ENDED_CHILDREN_TICKS)
    return (own + sum(_ticks(child, _OWN_TICKS) for child in _children(pid))) / _TICKS_A_SECOND


def busy_seconds() -> float:
    """Time on a processor so far, of everything on this machine."""
    fields = _read("stat").partition("\n")[0].split() or ["0"] * 8
    return sum(int(fields[number]) for number in _BUSY_TICKS) / _TICKS_A_SECOND


def _ticks(pid: int, fields: slice) -> int:
    words = _read(f"{pid}/stat").rpartition(")")[2].split()
    return sum(map(int, words[fields]))


def _kib(pid: int, field: str) -> int:
    lines = (line.split() for line in _read(f"{pid}/status").splitlines())
    return next((int(words[1]) for words in lines if words[0] == f"{field}:"), 0)


def _children(pid: int) -> list[int]:
    """None of this process: its children are the mesh, and counted by themselves."""
    if pid == os.getpid():
        return []
    return [int(child) for child in _read(f"{pid}/task/{pid}/children").split()]


def _read(name: str) -> str:
    try:
        return Path(f"/proc/{name}").read_text()
    except OSError:
        return ""
