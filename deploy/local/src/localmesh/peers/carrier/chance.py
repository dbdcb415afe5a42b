"""Chance that can be had again: one stream from a seed, and draws that stick to a phone."""

import random
from hashlib import blake2b


def sticky(seed: int, *about: object) -> float:
    """Returns a number in [0, 1) that is always the same for the same things."""
    digest = blake2b(repr((seed, *about)).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


class Chance:
    """Draws from one stream, that begins again when the seed changes."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)

    def follow(self, seed: int) -> None:
        """Takes over the seed in force."""
        if seed != self._seed:
            self._seed = seed
            self._random.seed(seed)

    def happens(self, share: float) -> bool:
        """Whether something that happens to a share of cases happens to this one."""
        return share > 0 and (share >= 1 or self._random.random() < share)

    def between(self, low: float, high: float) -> float:
        """Returns a number between two bounds, in any order."""
        return self._random.uniform(low, high)
