"""What the application's own lists say about a chunk: suppressions, cancelled runs, erasures."""

from collections.abc import Sequence
from typing import Any, Final

from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.obstacles import asks_suppression

from messaging.ledger.rows import run_below
from messaging.pipeline.works import Work
from messaging.suppressions import ids_of

_ASK = """
SELECT s.id FROM unnest($2::text[]) AS r (id)
CROSS JOIN LATERAL (
    SELECT id FROM suppressions
    WHERE application = $1 AND id = r.id AND (expire_time IS NULL OR expire_time > now())
    OFFSET 0
) AS s
UNION ALL
SELECT $4::text FROM cancelled_runs WHERE application = $1 AND run = $3
UNION ALL
SELECT $5::text WHERE EXISTS (SELECT FROM erased_recipients WHERE application = $1)
"""
_CANCELLED: Final = "/cancelled"
_ERASED: Final = "/erased"
"""No id of a suppression has a slash."""


async def apply(connection: Any, application: str, run: str, works: Sequence[Work]) -> bool:
    """Skips what is suppressed, and everything of a cancelled run; one query for the chunk.

    Whether the application has erased people of late, who are to be left out.
    """
    going = [work for work in works if work.rendered is not None]
    asked = {
        work.row.message_id: ids_of(work.row.channel_type, work.row.address_digest)
        for work in going
        if asks_suppression(work.row.purpose)
    }
    ids = [suppression for pair in asked.values() for suppression in pair]
    records = await connection.fetch(
        _ASK, application, ids, run_below(application, run), _CANCELLED, _ERASED
    )
    found = {record[0] for record in records}
    for work in going if found - {_ERASED} else ():
        if _CANCELLED in found:
            work.skip(Reason.CANCELLED)
        elif not found.isdisjoint(asked.get(work.row.message_id, ())):
            work.skip(Reason.SUPPRESSED)
    return _ERASED in found
