"""Measuring on a machine that others use too: what is compared is measured right after each other,
several times, and the round in the middle is the one that counts."""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Round(NamedTuple):
    """A rate, and what it is compared with."""

    rate: float
    yardstick: float

    @property
    def ratio(self) -> float:
        """The rate's part of its yardstick."""
        return self.rate / self.yardstick


async def middle_of(count: int, measure: Callable[[int], Awaitable[Round]]) -> Round:
    """The round of the median ratio; each is told its number, from 0."""
    return middle([await measure(number) for number in range(count)])


def middle(rounds: Sequence[Round]) -> Round:
    """The round of the median ratio."""
    return sorted(rounds, key=lambda one: one.ratio)[(len(rounds) - 1) // 2]


class Stopwatch:
    """Seconds that the block took."""

    seconds = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """`with stopwatch() as watch: …; watch.seconds`."""
    watch, began = Stopwatch(), time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - began
