"""A chunk enters the ledger: what is this batch's to send, and what is only to be told again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging.caps import caps as capping
from messaging.ledger import claims, frontiers, outcomes
from messaging.ledger.outcomes import Recorded
from messaging.ledger.rows import Row
from messaging.pipeline import holding
from messaging.pipeline.works import Work

TOLD = frozenset({Message.SENT, Message.DELIVERED, Message.FAILED, Message.SKIPPED})


@dataclass(slots=True)
class Entered:
    """`hand` is `HANDING` and this worker's; `skipped` has just been decided; `stranded` are rows
    that a dead worker left `HANDING` and may have handed over; `told` were done before and may not
    have been announced."""

    hand: list[Work] = field(default_factory=list)
    skipped: list[Row] = field(default_factory=list)
    stranded: list[Work] = field(default_factory=list)
    told: list[Row] = field(default_factory=list)
    held: list[Work] = field(default_factory=list)
    """Waits, `ACCEPTED`, for the end of quiet time."""
    repeated: bool = False
    """Whether some of it was there before, and may have been counted."""


async def enter(
    connection: Any,
    works: Sequence[Work],
    batch: SendBatch,
) -> Entered:
    """Enters a chunk. A direct batch's rows were entered before, `ACCEPTED`: what is not there then
    belongs to a request that was a repetition, and is passed by. In the same transaction, what goes
    on is counted against caps, what ends here is no longer, what would be too many is skipped, and
    who waits is put aside.

    The caller holds the batch's lock, so a row of this batch that is `HANDING` has no worker.
    """
    waiting, caps = not batch.run, batch.caps if batch.HasField("caps") else None
    if caps is None and all(work.hold_until is None for work in works):
        return await _enter(connection, works, waiting)
    async with connection.transaction():
        entered = await _enter(connection, works, waiting)
        if caps is not None:
            await _cap(connection, entered, caps)
        await holding.hold(connection, batch, entered.held)
    return entered


async def _cap(connection: Any, entered: Entered, caps: SendBatch.Caps) -> None:
    now = datetime.now(UTC)
    rows = [work.row for work in entered.hand]
    unsent = [*entered.skipped, *(work.row for work in entered.held)] if entered.repeated else []
    reserved = await capping.reserve(connection, caps, rows, now, unsent)
    refused = {row.message_id: reason for row, reason in reserved}
    if not refused:
        return
    over = [work for work in entered.hand if work.row.message_id in refused]
    for work in over:
        work.skip(refused[work.row.message_id])
        work.row.update_time = now
    first = over[0].row
    recorded = [Recorded(work.row.message_id, work.row.state, work.row.reason) for work in over]
    await outcomes.record(connection, first.application, first.day, recorded, now)
    entered.skipped += [work.row for work in over]
    entered.hand = [work for work in entered.hand if work.row.message_id not in refused]


async def _enter(connection: Any, works: Sequence[Work], waiting: bool) -> Entered:
    mine = await _first_try(connection, works, waiting)
    entered = Entered()
    rest = [work for work in works if work.row.message_id not in mine]
    if rest:
        mine |= await _enter_rest(connection, rest, entered, waiting)
    for work in works:
        if work.row.message_id in mine:
            if work.hold_until is not None:
                entered.held.append(work)
            elif work.rendered is None:
                entered.skipped.append(work.row)
            else:
                entered.hand.append(work)
    return entered


async def _first_try(connection: Any, works: Sequence[Work], waiting: bool) -> set[UUID]:
    """What nearly always suffices: one statement."""
    rows = [work.row for work in works]
    return await (claims.take(connection, rows) if waiting else claims.claim(connection, rows))


async def _enter_rest(
    connection: Any, works: list[Work], entered: Entered, waiting: bool
) -> set[UUID]:
    known = await claims.find(connection, [work.row for work in works])
    entered.repeated = bool(known)
    frontier = await _frontier(connection, works, known)
    absent = [work for work in works if work.row.message_id not in known]
    mine = set() if waiting else await _claim_absent(connection, absent)
    accepted: list[Work] = []
    unsent: list[Work] = []
    for work in works:
        row = known.get(work.row.message_id)
        if row is None or row.batch_id not in ("", work.row.batch_id):
            continue
        if row.state == Message.ACCEPTED:
            accepted.append(work)
        elif row.state == Message.HANDING and work.position >= frontier:
            unsent.append(work)
        elif row.state == Message.HANDING:
            work.row = row
            entered.stranded.append(work)
        elif row.state in TOLD:
            entered.told.append(row)
    if unsent:
        await claims.release(connection, [work.row for work in unsent])
        accepted += unsent
    if accepted:
        mine |= await claims.take(connection, [work.row for work in accepted])
    return mine


async def _frontier(connection: Any, works: Sequence[Work], known: Mapping[UUID, Row]) -> int:
    """How far a dead worker may have come, if there was one."""
    if all(row.state != Message.HANDING for row in known.values()):
        return 0
    row = works[0].row
    return await frontiers.read(connection, row.application, row.batch_id)


async def _claim_absent(connection: Any, absent: list[Work]) -> set[UUID]:
    """Claims rows that are not there; if that fails, another row of the run has the address."""
    if not absent:
        return set()
    mine = await claims.claim(connection, [work.row for work in absent])
    duplicates = [work for work in absent if work.row.message_id not in mine]
    if duplicates:
        for work in duplicates:
            work.skip(Reason.DUPLICATE_ADDRESS)
        mine |= await claims.claim(connection, [work.row for work in duplicates])
    return mine
