"""The endpoints of an application, some at a time by key, and what analytics knows of each.

Endpoints here and sets there come in the same order, so they are merged as they come: no more is
held than one window and one page of each set, however large the audience is.
"""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from audience.segments import queries
from audience.segments.behaviours import Conditions, Window
from audience.segments.sets import Analytics


@dataclass(frozen=True)
class Windows:
    """Where windows come from."""

    pool: queries.Pool
    analytics: Analytics
    application: str
    conditions: Conditions
    read_time: datetime

    async def after(self, last: str, size: int) -> AsyncGenerator[Window, None]:
        """Window after window of endpoints greater than `last`.

        Raises Unavailable with reason `BEHAVIOUR_UNAVAILABLE`.
        """
        with ExitStack() as stack:
            sets = {
                key: self.analytics.all(self.application, condition, last, self.read_time)
                for key, condition in self.conditions.items()
            }
            for one in sets.values():
                stack.callback(one.close)
            while endpoints := await queries.keys(
                self.pool, self.application, after=last, limit=size
            ):
                found = {key: await one.among(endpoints) for key, one in sets.items()}
                yield Window(endpoints, found)
                last = endpoints[-1]
