"""Where the time goes: what each process computes for one message, row or call.

That is what it costs however busy the machine is; the seconds of a clock are not.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from localmesh.bench import processes

SHARE_MIN = 0.01
"""A process that had less of all the time is not worth a line."""


class Costs:
    """Adds up what processes, by name, compute in the blocks under `paying`."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._spent: dict[str, float] = defaultdict(float)
        self._all_busy = 0.0
        self._available = 0.0
        self._count = 0

    @contextmanager
    def paying(self, count: int) -> Iterator[None]:
        """The block is the work for `count` of what is measured."""
        self._add(-1)
        yield
        self._add(1)
        self._count += count

    def microseconds(self) -> dict[str, float]:
        """What one costs in each process, the dearest first."""
        least = SHARE_MIN * sum(self._spent.values())
        return {
            name: seconds / self._count * 1e6
            for name, seconds in sorted(self._spent.items(), key=lambda item: -item[1])
            if seconds > least
        }

    @property
    def others_percent(self) -> float:
        """How much of the machine other programs had meanwhile, which we could have used."""
        return max(0.0, 100 * (self._all_busy - sum(self._spent.values())) / self._available)

    def _add(self, sign: int) -> None:
        for name, pid in self._pids.items():
            self._spent[name] += sign * processes.cpu_seconds(pid)
        self._all_busy += sign * processes.busy_seconds()
        self._available += sign * time.monotonic() * (os.cpu_count() or 1)
