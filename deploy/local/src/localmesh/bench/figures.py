"""The figures of a bench: a table for people, `build/bench.json` for programs."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measurement. `ratio` is the value over that of its yardstick in the same run; `limit` is
    what the ratio (or, without a yardstick, the value) should reach, or not exceed if it is a
    ceiling; `peak_mib` is the largest
    resident memory, while it was measured, of the process that did the work."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None
    peak_mib: float | None = None
    is_ceiling: bool = False

    @property
    def verdict(self) -> str:
        """Words about a limit that is not kept; nothing about one that is."""
        reached = self.value if self.ratio is None else self.ratio
        if self.limit is None or reached == self.limit:
            return ""
        if self.is_ceiling:
            return "  above its limit" * (reached > self.limit)
        return "  below its limit" * (reached < self.limit)


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
            f"{_cell(figure.peak_mib, ',.0f'):>9}{figure.verdict}\n"
        )
    sys.stdout.flush()


def _cell(number: float | None, form: str) -> str:
    return "" if number is None else format(number, form)
