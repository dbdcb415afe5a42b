"""Robots that answer answers: two of them write to each other for ever, unless one falls silent.

A sender gets so many answers from a number within a window, then only what everybody is owed, the
answers to STOP and HELP; and none of these either where no person can have asked so often.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from twoway import bulk
from twoway.inbound.texts import Text
from twoway.keywords.tables import ReplyCount

REPLIES_MAX = 10
OWED_REPLIES_MAX = 30
"""With these. HELP is to be answered whatever the state (CTIA Short Code Monitoring Handbook), and
nobody asks for it every twenty seconds."""

WINDOW = timedelta(minutes=10)

Pair = tuple[str, str]
"""The number that is written to, and who writes."""

_REPLACE = bulk.overwriting(ReplyCount, "application", "destination_address", "source_address")


@dataclass(slots=True)
class LoopGuard:
    """How often people were answered, and what changes about it."""

    application: str
    counts: dict[Pair, ReplyCount] = field(default_factory=dict)
    changed: dict[Pair, ReplyCount] = field(default_factory=dict)
    replies_max: int = REPLIES_MAX
    owed_replies_max: int = OWED_REPLIES_MAX
    window: timedelta = WINDOW

    def allows(self, text: Text, *, owed: bool = False) -> bool:
        """Whether a text may be answered; if so, the answer is counted. `owed` are the answers to
        STOP and HELP."""
        pair = (text.destination, text.source)
        count = self.counts.get(pair)
        if count is None or text.receive_time >= count.begin_time + self.window:
            count = self._begin(pair, text.receive_time)
        if count.replies >= (self.owed_replies_max if owed else self.replies_max):
            return False
        count.replies += 1
        self.counts[pair] = self.changed[pair] = count
        return True

    def _begin(self, pair: Pair, time: datetime) -> ReplyCount:
        destination, source = pair
        return ReplyCount(
            application=self.application,
            destination_address=destination,
            source_address=source,
            replies=0,
            begin_time=time,
        )


async def write(connection: Any, guard: LoopGuard) -> None:
    """Keep what has been counted. The caller holds the application's lock."""
    counted: Sequence[ReplyCount] = list(guard.changed.values())
    await bulk.insert(connection, counted, conflict=_REPLACE)
