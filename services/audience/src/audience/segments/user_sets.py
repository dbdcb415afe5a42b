"""Sets of endpoints by what all endpoints of their users did.

Analytics knows what each endpoint did, audience whose it is now. Where few did it, all of them are
read once, and what they did is added up by user. Where they are many, that is done for each window:
all endpoints of the users of its endpoints are asked about. So no more is held than so many.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from audience.segments import queries
from audience.segments.behaviours import Conditions, Part, Sets
from audience.segments.sets import Analytics

ASKED_MAX: Final = 10_000
"""Endpoints in one question to analytics."""
HELD_MAX: Final = 100_000
"""Endpoints that did something, of all conditions of a filter: some 15 MB."""


class UserSets:
    """Answers as of a moment: what came later is left out.

    An endpoint without a user stands for itself. Everything raises Unavailable with reason
    `BEHAVIOUR_UNAVAILABLE`.
    """

    def __init__(
        self,
        pool: queries.Pool,
        analytics: Analytics,
        application: str,
        read_time: datetime,
        held_max: int = HELD_MAX,
    ) -> None:
        self._pool = pool
        self._analytics = analytics
        self._application = application
        self._read_time = read_time
        self._room = held_max
        self._held: dict[bytes, Counter[str]] = {}

    async def hold(self, conditions: Conditions) -> None:
        """Read once who did it, where they are few; for whoever is about to ask about everybody."""
        for once in _distinct(conditions):
            stream = self._analytics.all(self._application, once.condition, "", self._read_time)
            try:
                doers = await stream.few(self._room)
            finally:
                stream.close()
            if doers is not None:
                self._room -= len(doers)
                self._held[once.key] = await self._of_few(once, doers)

    async def among(self, endpoints: Sequence[str], conditions: Conditions) -> Sets:
        """Those of the endpoints whose users did each of the conditions often enough."""
        asked = [once for once in _distinct(conditions) if once.key not in self._held]
        if asked:
            owners = await queries.siblings(
                self._pool, self._application, endpoints, self._read_time
            )
            everybody = sorted({*endpoints, *owners})
        elif conditions:
            owners = await queries.owners(self._pool, self._application, endpoints)
        totals = dict(self._held)
        for once in asked:
            totals[once.key] = await self._totals(everybody, once, owners)
        found = {}
        for key, part in conditions.items():
            total, least = totals[part.once().key], max(1, part.condition.at_least)
            found[key] = [one for one in endpoints if total[_doer(one, owners)] >= least]
        return found

    async def _of_few(self, once: Part, doers: Sequence[str]) -> Counter[str]:
        totals: Counter[str] = Counter()
        for some in _pieces(doers):
            owners = await queries.owners(self._pool, self._application, some, self._read_time)
            totals += await self._totals([one for one in some if one in owners], once, owners)
        return totals

    async def _totals(
        self, asked: Sequence[str], once: Part, owners: Mapping[str, str]
    ) -> Counter[str]:
        """How often each user, or endpoint without one, did it."""
        totals: Counter[str] = Counter()
        for some in _pieces(asked):
            counts = await self._analytics.counts(
                self._application, once.condition, some, self._read_time
            )
            for endpoint, count in counts:
                totals[_doer(endpoint, owners)] += count
        return totals


def _distinct(conditions: Conditions) -> Iterable[Part]:
    """What is asked, however often it must have happened."""
    parts = [part.once() for part in conditions.values()]
    return {part.key: part for part in parts}.values()


def _doer(endpoint: str, owners: Mapping[str, str]) -> str:
    """Of what is counted together; no id has a slash in it."""
    user_id = owners.get(endpoint)
    return f"users/{user_id}" if user_id else endpoint


def _pieces(asked: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(asked), ASKED_MAX):
        yield asked[begin : begin + ASKED_MAX]
