"""Leaving erased people out of a batch: before its messages are entered, and before they leave.

A message that is marked `HANDING` before a person is erased is seen by whoever erases them, who
waits for it; one that is marked after finds here that they are erased. So nothing follows.
"""

from collections.abc import Sequence
from typing import Any

from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging.people import ledger, remembering
from messaging.pipeline.works import Work


async def leave_out(connection: Any, batch: SendBatch, works: Sequence[Work]) -> list[Work]:
    """Skips what was meant for erased people; those messages, with nobody in their rows."""
    gone = await remembering.erased(connection, batch, works)
    for work, operation in gone:
        work.skip(Reason.SUPPRESSED)
        ledger.forget(work.row)
        work.erased_by = operation
    return [work for work, _ in gone]


async def scrub(connection: Any, works: Sequence[Work]) -> None:
    """Forgets in the ledger, too, whom messages were for that were entered before."""
    for operation in {work.erased_by for work in works}:
        rows = [work.row for work in works if work.erased_by == operation]
        await ledger.scrub(connection, rows, operation)
