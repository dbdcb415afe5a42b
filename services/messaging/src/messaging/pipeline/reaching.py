"""How far a batch has come, moved on by several slices at once in one statement.

Whoever moves it takes along those who wait. They have their places already, so no more is left in
doubt by it, and each of them leaves only after a statement that began after it asked.
"""

import asyncio
from datetime import UTC, datetime

from messaging.ledger import frontiers
from messaging.ledger.persistence import Pool, persist


class Frontier:
    """The frontier of one batch, while a chunk of it is handed over."""

    def __init__(self, pool: Pool, application: str, batch_id: str) -> None:
        self._pool = pool
        self._application = application
        self._batch_id = batch_id
        self._turn = asyncio.Lock()
        self._wanted = 0
        self._asked = 0
        self._answered = 0
        self._may_leave = False

    async def reach(self, position: int) -> bool:
        """Whether the batch's first `position` recipients may leave: not of an application that was
        deleted."""
        self._wanted = max(self._wanted, position)
        self._asked += 1
        asked = self._asked
        async with self._turn:
            if self._answered < asked:
                including, wanted, now = self._asked, self._wanted, datetime.now(UTC)
                self._may_leave = await persist(
                    self._pool,
                    lambda c: frontiers.reach(c, self._application, self._batch_id, wanted, now),
                )
                self._answered = including
            return self._may_leave
