"""Ports that are chosen once and kept, so that addresses survive a restart of the mesh."""

import json
import random
from collections.abc import Callable
from pathlib import Path

from mesh.embedded.leftover import write_atomically
from mesh.embedded.ports import is_free

# Below the range from which Linux takes ports of outgoing connections: one of those would otherwise
# sit on the port of a service while it is being restarted. Nor does `free_port` give any of them.
_RANGE = range(20_000, 30_000)
_random = random.SystemRandom()
"""Meshes that start at the same time, of processes that seed `random` alike, choose differently."""


class PortBook:
    """The port of each name, in a file."""

    def __init__(self, path: Path, report: Callable[[str], None]) -> None:
        self._path = path
        self._report = report
        self._ports = _read(path)
        self.moved: dict[str, int] = {}
        """The former port of each name whose port had to be replaced."""

    def port(self, name: str) -> int:
        """The port of `name`, chosen at the first asking; call it while nothing of ours runs.

        A port that somebody else has taken meanwhile is reported and replaced.
        """
        kept = self._ports.get(name)
        if kept is not None and is_free(kept):
            return kept
        chosen = self._choose()
        if kept is not None:
            self._report(f"port {kept} of {name} is in use by another program; taking {chosen}")
            self.moved[name] = kept
        self._ports[name] = chosen
        write_atomically(self._path, json.dumps(self._ports, indent=2))
        return chosen

    def _choose(self) -> int:
        taken = set(self._ports.values())
        for port in _random.sample(_RANGE, len(_RANGE)):
            if port not in taken and is_free(port):
                return port
        raise OSError(f"no port is free between {_RANGE.start} and {_RANGE.stop}")


def _read(path: Path) -> dict[str, int]:
    """What is in the file; an unreadable one is as good as none, for ports can be chosen again."""
    try:
        ports = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return ports if isinstance(ports, dict) else {}
