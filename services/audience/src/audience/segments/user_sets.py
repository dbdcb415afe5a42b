"""Sets of endpoints by what all endpoints of their users did.

Analytics knows what each endpoint did, audience whose it is now. So for the endpoints that are
asked about, all endpoints of their users are asked about there, and what they did is added up.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from audience.segments import queries
from audience.segments.behaviours import Conditions, Part, Sets
from audience.segments.sets import Analytics

ASKED_MAX: Final = 10_000
"""Endpoints in one question to analytics."""


class UserSets:
    """Answers for some endpoints, as of a moment: what came later is left out."""

    def __init__(
        self, pool: queries.Pool, analytics: Analytics, application: str, read_time: datetime
    ) -> None:
        self._pool = pool
        self._analytics = analytics
        self._application = application
        self._read_time = read_time

    async def among(self, endpoints: Sequence[str], conditions: Conditions) -> Sets:
        """Those of the endpoints whose users did each of the conditions often enough.

        An endpoint without a user stands for itself. Raises Unavailable with reason
        `BEHAVIOUR_UNAVAILABLE`.
        """
        if not conditions:
            return {}
        owners = await queries.siblings(self._pool, self._application, endpoints, self._read_time)
        asked = sorted({*endpoints, *owners})
        totals: dict[bytes, Counter[str]] = {}
        found: dict[bytes, list[str]] = {}
        for key, part in conditions.items():
            once = part.once()
            if once.key not in totals:
                totals[once.key] = await self._totals(asked, once, owners)
            total = totals[once.key]
            least = max(1, part.condition.at_least)
            found[key] = [one for one in endpoints if total[_doer(one, owners)] >= least]
        return found

    async def _totals(
        self, asked: Sequence[str], part: Part, owners: dict[str, str]
    ) -> Counter[str]:
        """How often each user, or endpoint without one, did it."""
        totals: Counter[str] = Counter()
        for some in _pieces(asked):
            counts = await self._analytics.counts(
                self._application, part.condition, some, self._read_time
            )
            for endpoint, count in counts:
                totals[_doer(endpoint, owners)] += count
        return totals


def _doer(endpoint: str, owners: dict[str, str]) -> str:
    """Of what is counted together; no id has a slash in it."""
    user_id = owners.get(endpoint)
    return f"users/{user_id}" if user_id else endpoint


def _pieces(asked: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(asked), ASKED_MAX):
        yield asked[begin : begin + ASKED_MAX]
