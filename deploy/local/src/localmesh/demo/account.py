"""The readable account of a demo as it goes, and the figures it leaves in `build/demo.json`."""

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Account:
    """Figures of all steps; `differences` names every number that does not add up."""

    started: float = field(default_factory=time.monotonic)
    members: int = 0
    members_by_campaign: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    delivered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    after_stop: int = 0
    events_stored: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return round(time.monotonic() - self.started, 1)

    @property
    def ok(self) -> bool:
        """Whether everything adds up."""
        return not self.differences

    def step(self, title: str, **figures: Any) -> None:
        """Close a step: its figures are printed and kept."""
        self.steps.append({"step": title, "at_seconds": self.seconds, **figures})
        sys.stdout.write(f"\n[{self.seconds:6.1f} s] {title}\n")
        for name, value in figures.items():
            sys.stdout.write(f"    {name.replace('_', ' '):<28}{_words(value)}\n")
        sys.stdout.flush()

    def expect(self, what: str, found: object, expected: object) -> None:
        """Note a difference unless the two are equal."""
        if found != expected:
            self.differences.append(f"{what}: expected {expected}, found {found}")

    def write(self, path: Path) -> None:
        """Leave the figures as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = {
            "ok": self.ok,
            "seconds": self.seconds,
            "members": self.members,
            "sent": self.sent,
            "delivered": self.delivered,
            "skipped": dict(self.skipped),
            "lost": self.lost,
            "twice": self.twice,
            "after_stop": self.after_stop,
            "events_stored": self.events_stored,
            "differences": self.differences,
            "steps": self.steps,
        }
        path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")

    def conclude(self, path: Path) -> int:
        """Print the sum of it all; the exit status."""
        sys.stdout.write(
            f"\n{'Everything adds up' if self.ok else 'NOT EVERYTHING ADDS UP'} "
            f"after {self.seconds} s: {self.members} members = {self.sent} sent + "
            f"{self.skipped.total()} left out {dict(self.skipped)}; {self.delivered} delivered, "
            f"{self.lost} lost, {self.twice} twice, {self.after_stop} after STOP, "
            f"{self.events_stored} events stored.\nFigures: {path}\n"
        )
        for difference in self.differences:
            sys.stdout.write(f"  difference: {difference}\n")
        return 0 if self.ok else 1


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return ("\n" + " " * 32).join(map(str, value))
    return str(value)
