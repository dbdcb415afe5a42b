"""How far into a batch messages may have left: what lies beyond has certainly not."""

from datetime import datetime
from typing import Any

_REACH = """
INSERT INTO batch_frontiers (application, batch_id, frontier, update_time)
SELECT $1::varchar, $2::varchar, $3::integer, $4::timestamptz
WHERE NOT EXISTS (SELECT FROM tombstones WHERE application = $1::varchar)
ON CONFLICT (application, batch_id) DO UPDATE
SET frontier = greatest(batch_frontiers.frontier, excluded.frontier),
    update_time = excluded.update_time
RETURNING frontier
"""
_UNDER_WAY = "SELECT batch_id FROM batch_frontiers WHERE application = $1"
_READ = "SELECT frontier FROM batch_frontiers WHERE application = $1 AND batch_id = $2"
_FORGET = "DELETE FROM batch_frontiers WHERE application = $1 AND batch_id = $2"


async def reach(
    connection: Any, application: str, batch_id: str, frontier: int, now: datetime
) -> bool:
    """Notes that the batch's first `frontier` recipients may be about to leave. Never goes back.

    False when they must not, as the application was deleted.
    """
    reached = await connection.fetchval(_REACH, application, batch_id, frontier, now)
    return reached is not None


async def read(connection: Any, application: str, batch_id: str) -> int:
    """How many of the batch's first recipients may have left."""
    return await connection.fetchval(_READ, application, batch_id) or 0


async def under_way(connection: Any, application: str) -> list[str]:
    """Batches of which messages may be leaving, and those that dead workers have left."""
    return [record[0] for record in await connection.fetch(_UNDER_WAY, application)]


async def forget(connection: Any, application: str, batch_id: str) -> None:
    """Forgets a batch of which no message is under way any more."""
    await connection.execute(_FORGET, application, batch_id)
