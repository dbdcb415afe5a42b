"""How far into a batch messages may have left: what lies beyond has certainly not."""

from datetime import datetime
from typing import Any

_REACH = """
INSERT INTO batch_frontiers (application, batch_id, frontier, update_time)
VALUES ($1, $2, $3, $4)
ON CONFLICT (application, batch_id) DO UPDATE
SET frontier = greatest(batch_frontiers.frontier, excluded.frontier),
    update_time = excluded.update_time
"""
_READ = "SELECT frontier FROM batch_frontiers WHERE application = $1 AND batch_id = $2"
_FORGET = "DELETE FROM batch_frontiers WHERE application = $1 AND batch_id = $2"


async def reach(
    connection: Any, application: str, batch_id: str, frontier: int, now: datetime
) -> None:
    """Notes that the batch's first `frontier` recipients may be about to leave. Never goes back."""
    await connection.execute(_REACH, application, batch_id, frontier, now)


async def read(connection: Any, application: str, batch_id: str) -> int:
    """How many of the batch's first recipients may have left."""
    return await connection.fetchval(_READ, application, batch_id) or 0


async def forget(connection: Any, application: str, batch_id: str) -> None:
    """Forgets a batch of which no message is under way any more."""
    await connection.execute(_FORGET, application, batch_id)
