"""What a peer saw, as JSON lines: the witness against which the services' books are checked."""

import time
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

Entry = dict[str, Any]


class Journal:
    """An append-only log that outlives the peer's process, killed or not.

    Every entry carries `sequence` (from 1, without gaps), `time` (unix seconds) and `kind`; fields
    cannot take these names.
    """

    def __init__(self, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._ends = array("Q", [0])
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b", buffering=0)
        self._load()

    @property
    def last(self) -> int:
        """The sequence of the newest entry; 0 when there is none."""
        return len(self._ends) - 1

    def append(self, kind: str, **fields: Any) -> Entry:
        """Write one entry; it is in the file on return."""
        return self.extend(kind, [fields])[0]

    def extend(self, kind: str, many: Iterable[Mapping[str, Any]]) -> list[Entry]:
        """Write several entries of one kind in one write."""
        now = time.time()
        first = self.last + 1
        entries = [
            {**fields, "sequence": first + index, "time": now, "kind": kind}
            for index, fields in enumerate(many)
        ]
        lines = [orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in entries]
        self._file.write(b"".join(lines))
        for line in lines:
            self._ends.append(self._ends[-1] + len(line))
        self.counts[kind] += len(lines)
        return entries

    def read(self, after: int, limit: int) -> list[Entry]:
        """Up to `limit` entries that follow the entry with the sequence `after`."""
        first = min(max(after, 0), self.last)
        last = min(first + limit, self.last)
        self._file.seek(self._ends[first])
        lines = self._file.read(self._ends[last] - self._ends[first]).splitlines()
        return [orjson.loads(line) for line in lines]

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._file.close()

    def _load(self) -> None:
        self._file.seek(0)
        with open(self._file.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._ends.append(self._ends[-1] + len(line))
                self.counts[orjson.loads(line)["kind"]] += 1
        self._file.truncate(self._ends[-1])
