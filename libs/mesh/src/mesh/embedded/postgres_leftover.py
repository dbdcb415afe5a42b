"""What a killed postmaster leaves behind: children that end a moment later than it does.

PostgreSQL starts on no data folder whose shared memory another process still uses.
"""

import asyncio
from pathlib import Path

from mesh.embedded.errors import CannotStartError

_POLL_SECONDS = 0.02
_SEGMENTS = Path("/proc/sysvipc/shm")
# The seventh line of postmaster.pid: key and number of the segment (miscadmin.h of PostgreSQL).
_SEGMENT_LINE = 6


async def children_ended(pid_file: Path, timeout_seconds: float) -> None:
    """Wait until nobody uses the shared memory that `pid_file` names.

    Raises CannotStartError when somebody still does after `timeout_seconds`. Where the kernel does
    not list segments (proc(5) on Linux does), PostgreSQL's own check at its start is all there is.
    """
    segment = _segment(pid_file)
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while segment is not None and _users(segment):
        if asyncio.get_running_loop().time() > deadline:
            raise CannotStartError(
                f"processes of a killed PostgreSQL still work in {pid_file.parent}; "
                f"end them by hand"
            )
        await asyncio.sleep(_POLL_SECONDS)


def _segment(pid_file: Path) -> int | None:
    """The number of the segment; none when the server had not come so far."""
    try:
        return int(pid_file.read_text().splitlines()[_SEGMENT_LINE].split()[1])
    except (OSError, IndexError, ValueError):
        return None


def _users(segment: int) -> int:
    """How many processes are attached to the segment."""
    try:
        names, *rows = (line.split() for line in _SEGMENTS.read_text().splitlines())
    except (OSError, ValueError):
        return 0
    number, attached = names.index("shmid"), names.index("nattch")
    return sum(int(row[attached]) for row in rows if int(row[number]) == segment)
