"""A chunk enters the ledger: what is this batch's to send, and what is only to be told again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason

from messaging.ledger import claims, frontiers
from messaging.ledger.rows import Row
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


async def enter(connection: Any, works: Sequence[Work], *, waiting: bool) -> Entered:
    """Enters a chunk. `waiting` says that its rows were entered before, `ACCEPTED`: what is not
    there then belongs to a request that was a repetition, and is passed by.

    The caller holds the batch's lock, so a row of this batch that is `HANDING` has no worker.
    """
    mine = await _first_try(connection, works, waiting)
    entered = Entered()
    rest = [work for work in works if work.row.message_id not in mine]
    if rest:
        mine |= await _enter_rest(connection, rest, entered, waiting)
    for work in works:
        if work.row.message_id in mine:
            if work.rendered is None:
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
