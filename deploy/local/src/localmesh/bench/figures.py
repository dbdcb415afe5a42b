"""The figures of a bench: a table for people, `build/bench.json` for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measurement. `ratio` is the value over that of its yardstick in the same run; `limit` is
    the ratio (or, without a yardstick, the value) that it should reach; `peak_mib` the largest
    resident memory of the process that did the work."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None
    peak_mib: float | None = None


def write(figures: Sequence[Figure], path: Path) -> None:
    """Leave the figures as a JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")


def show(figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    width = max(len(figure.name) for figure in figures)
    sys.stdout.write(
        f"\n{'':<{width}}  {'value':>10} {'unit':<12} {'ratio':>6} {'limit':>6} {'peak MiB':>9}\n"
    )
    for figure in figures:
        sys.stdout.write(
            f"{figure.name:<{width}}  {figure.value:>10,.0f} {figure.unit:<12} "
            f"{_cell(figure.ratio, '.2f'):>6} {_cell(figure.limit, ',.4g'):>6} "
            f"{_cell(figure.peak_mib, ',.0f'):>9}\n"
        )
    sys.stdout.flush()


def peaks_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """The largest resident memory of each process so far, in MiB; 0 where unknown."""
    return {name: _peak_mib(pid) for name, pid in pids.items()}


def _peak_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
    return round(int(kib) / 1024, 1)


def _cell(number: float | None, form: str) -> str:
    return "" if number is None else format(number, form)
