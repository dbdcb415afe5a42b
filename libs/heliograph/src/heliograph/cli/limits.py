"""Times that are options of the command: instants, durations, and when it is quiet. Pure."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def hours(text: str) -> tuple[str, str]:
    """Start and end of `22:00-06:00`; a sentence if it is none."""
    start, dash, end = text.partition("-")
    if not dash:
        sys.exit(f"heliograph: expected --quiet-time as 22:00-06:00; {text!r} is none")
    return start.strip(), end.strip()


def check_hold(hold: bool, quiet_time: str | None) -> None:
    """A sentence when somebody is to wait for the end of nothing."""
    if hold and not quiet_time:
        sys.exit("heliograph: --hold says what happens in --quiet-time, and so goes with it")


def duration(text: str, option: str = "--duration-max") -> "Duration":
    """A duration such as `90m`; a sentence if it is none."""
    from google.protobuf.duration_pb2 import Duration

    if not text[:-1].isdecimal() or text[-1] not in UNITS:
        sys.exit(f"heliograph: expected {option} as 90m, 2h or 1d; {text!r} is none")
    return Duration(seconds=int(text[:-1]) * UNITS[text[-1]])


def moment(text: str, option: str) -> "Timestamp":
    """An instant of RFC 3339; a sentence if it is none."""
    from google.protobuf.timestamp_pb2 import Timestamp

    instant = Timestamp()
    try:
        instant.FromJsonString(text)
    except ValueError:
        sys.exit(
            f"heliograph: expected {option} as 2026-12-24T18:00:00Z or 2026-12-24T18:00:00+01:00; "
            f"{text!r} is none"
        )
    return instant
