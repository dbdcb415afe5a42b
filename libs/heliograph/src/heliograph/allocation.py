"""Who is held out and who gets which treatment: a stable hash of campaign and endpoint, no state.

The same endpoint gets the same answer in every run, on every replica and after every crash.
Hold-out and treatment are drawn apart, so that changing the hold-out moves nobody between
treatments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate

BUCKETS = 10_000
HOLDOUT = -1


@dataclass(frozen=True, slots=True)
class Allocation:
    """A campaign's shares, ready to be asked for many endpoints."""

    salt: bytes
    holdout_buckets: int
    bounds: tuple[int, ...]

    def treatment_index(self, endpoint_id: str) -> int:
        """Index of the endpoint's treatment, or `HOLDOUT`."""
        digest = blake2b(endpoint_id.encode(), digest_size=8, key=self.salt).digest()
        if int.from_bytes(digest[:4], "big") % BUCKETS < self.holdout_buckets:
            return HOLDOUT
        bucket = int.from_bytes(digest[4:], "big") % BUCKETS
        return next(index for index, bound in enumerate(self.bounds) if bucket < bound)


def allocation(campaign_name: str, holdout_percent: int, percents: Sequence[int]) -> Allocation:
    """The allocation of a campaign; all percents zero means equal shares.

    `percents` are whole numbers that add up to 100, one a treatment.
    """
    salt = blake2b(campaign_name.encode(), digest_size=32).digest()
    return Allocation(salt, holdout_percent * BUCKETS // 100, _bounds(percents))


def _bounds(percents: Sequence[int]) -> tuple[int, ...]:
    if not any(percents):
        count = len(percents)
        return tuple(BUCKETS * (index + 1) // count for index in range(count))
    return tuple(total * BUCKETS // 100 for total in accumulate(percents))
