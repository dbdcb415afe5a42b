"""The endpoints of an application, some at a time by key, and what analytics knows of each.

Endpoints here and sets there come in the same order, so they are merged as they come: no more is
held than one window and one page of each set, however large the audience is.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from audience.segments import queries
from audience.segments.behaviours import Conditions, Window
from audience.segments.sets import Analytics
from audience.segments.user_sets import HELD_MAX, UserSets


@dataclass(frozen=True)
class Windows:
    """Where windows come from."""

    pool: queries.Pool
    analytics: Analytics
    application: str
    conditions: Conditions
    read_time: datetime
    held_max: int = HELD_MAX
    """Endpoints that may be held because their users are asked about."""

    async def after(self, last: str, size: int) -> AsyncGenerator[Window, None]:
        """Window after window of endpoints greater than `last`.

        Raises Unavailable with reason `BEHAVIOUR_UNAVAILABLE`.
        """
        with ExitStack() as stack:
            sets = {
                key: self.analytics.all(self.application, part.condition, last, self.read_time)
                for key, part in self._asked(of_users=False).items()
            }
            for one in sets.values():
                stack.callback(one.close)
            users = await self._users(hold=True)
            while endpoints := await queries.keys(
                self.pool, self.application, after=last, limit=size
            ):
                found = {key: await one.among(endpoints) for key, one in sets.items()}
                by_user = await users.among(endpoints, self._asked(of_users=True))
                yield Window(endpoints, {**found, **by_user})
                last = endpoints[-1]

    async def among(self, endpoints: Sequence[str]) -> Window:
        """The window of up to 1,000 endpoints that are named.

        Raises Unavailable with reason `BEHAVIOUR_UNAVAILABLE`.
        """
        asked = self._asked(of_users=False)
        found = await self.analytics.among(self.application, asked, endpoints, self.read_time)
        users = await self._users(hold=False)
        by_user = await users.among(endpoints, self._asked(of_users=True))
        return Window(endpoints, {**found, **by_user})

    async def _users(self, *, hold: bool) -> UserSets:
        users = UserSets(self.pool, self.analytics, self.application, self.read_time, self.held_max)
        if hold:
            await users.hold(self._asked(of_users=True))
        return users

    def _asked(self, *, of_users: bool) -> Conditions:
        return {key: part for key, part in self.conditions.items() if part.of_users == of_users}
