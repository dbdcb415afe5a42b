"""Receipts from providers: matched, recorded and announced in sets, and only then acknowledged."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.message_pb2 import Message
from mesh.store.group_commit import GroupCommit
from mesh.telemetry import logging
from nats.js import JetStreamContext

from messaging import events, receipts
from messaging.announcing import announce
from messaging.channels.inbound import Receipt
from messaging.ledger import parking, reports
from messaging.ledger.persistence import Pool, persist
from messaging.ledger.reports import Move
from messaging.ledger.rows import Row
from messaging.metrics import RECEIPTS

_log = logging.get(__name__)

GROUP_SIZE_MAX = 1000
LINGER_SECONDS = 0.02
ROUNDS_MAX = 5
"""How often a message may change under our hands before the receipt is parked."""

PARKED_MAX = timedelta(hours=48)
"""A receipt whose message does not appear for so long belongs to someone else."""

Arrived = tuple[str, Receipt]
"""A receipt with its application."""


class Receiving:
    """Takes receipts of all applications; calls that overlap are worked on together."""

    def __init__(self, pool: Pool, js: JetStreamContext) -> None:
        self._pool = pool
        self._js = js
        self._groups: GroupCommit[Arrived, None] = GroupCommit(
            self._flush, size_max=GROUP_SIZE_MAX, linger_seconds=LINGER_SECONDS
        )

    async def receive(self, application: str, batch: Sequence[Receipt]) -> None:
        """Returns when the receipts are recorded and announced, or parked."""
        await self._groups.submit_all([(application, receipt) for receipt in batch])

    async def sweep(self, now: datetime) -> int:
        """Tries parked receipts again; how many there were. Their first arrival is kept."""
        async with self._pool.acquire() as connection, connection.transaction():
            taken = await parking.take(connection, now, GROUP_SIZE_MAX)
            groups: dict[tuple[str, datetime], list[Receipt]] = defaultdict(list)
            for application, park_time, receipt in taken:
                groups[application, park_time].append(receipt)
            for (application, park_time), batch in groups.items():
                unmatched = await self._apply(application, batch, now)
                if unmatched and now - park_time < PARKED_MAX:
                    await parking.park(connection, application, unmatched, park_time, now)
                elif unmatched:
                    RECEIPTS.labels("dropped").inc(len(unmatched))
                    _log.warning("receipts.unmatched", application=application, n=len(unmatched))
        return len(taken)

    async def _flush(self, group: Sequence[Arrived]) -> Sequence[None]:
        now = datetime.now(UTC)
        by_application: dict[str, list[Receipt]] = defaultdict(list)
        for application, receipt in group:
            by_application[application].append(receipt)
        for application, batch in by_application.items():
            unmatched = await self._apply(application, batch, now)
            if unmatched:
                await self._park(application, unmatched, now)
        return [None] * len(group)

    async def _park(self, application: str, unmatched: list[Receipt], now: datetime) -> None:
        RECEIPTS.labels("parked").inc(len(unmatched))
        await persist(self._pool, lambda c: parking.park(c, application, unmatched, now, now))

    async def _apply(
        self, application: str, batch: Sequence[Receipt], now: datetime
    ) -> list[Receipt]:
        """Moves messages on and announces it; the receipts that have no message yet."""
        pending = folded(batch)
        unmatched: list[Receipt] = []
        for _ in range(ROUNDS_MAX):
            rows = await self._pool_match(application, pending, now)
            pairs = list(zip(rows, pending, strict=True))
            unmatched += [receipt for row, receipt in pairs if row is None]
            found = [(row, receipt) for row, receipt in pairs if row is not None]
            pending = await self._move(application, found)
            if not pending:
                break
        return unmatched + pending

    async def _pool_match(
        self, application: str, pending: Sequence[Receipt], now: datetime
    ) -> list[Row | None]:
        return await persist(self._pool, lambda c: reports.match(c, application, pending, now))

    async def _move(self, application: str, found: Sequence[tuple[Row, Receipt]]) -> list[Receipt]:
        """Moves what may be moved and announces it; the receipts whose messages just changed."""
        moves = [
            Move(row, receipt, receipt.state, receipts.reason_for(receipt.state))
            for row, receipt in found
            if receipts.may_follow(row.state, row.reason, receipt.state)
        ]
        sent_times = (
            await persist(self._pool, lambda c: reports.move(c, application, moves))
            if moves
            else {}
        )
        told: list[MessageEvent] = []
        again: list[Receipt] = []
        moved = {move.row.message_id: move for move in moves}
        for row, receipt in found:
            if row.message_id not in moved:
                told += repeated(row, receipt)
            elif row.message_id in sent_times:
                told += happened(moved[row.message_id], sent_times[row.message_id])
            else:
                again.append(receipt)
        if told:
            await announce(self._js, application, told)
        RECEIPTS.labels("applied").inc(len(sent_times))
        return again


def folded(batch: Sequence[Receipt]) -> list[Receipt]:
    """One receipt for each message: the strongest of those that came together. Pure."""
    by_message: dict[tuple[str, str], Receipt] = {}
    for receipt in batch:
        key = (receipt.address, receipt.provider_message_id)
        other = by_message.get(key)
        if other is None or receipts.strongest(other.state, receipt.state) != other.state:
            by_message[key] = receipt
    return list(by_message.values())


def happened(move: Move, sent_time: datetime | None) -> list[MessageEvent]:
    """The events of a message that was moved on. Pure.

    Unless it was recorded before, that it was sent is said here: its worker may be dead, and if it
    is not, it says the same.
    """
    row, before = move.row, move.row.state
    row.state, row.reason = move.state, move.reason
    row.detail = move.receipt.code if move.reason else ""
    row.update_time = move.receipt.event_time
    told: list[MessageEvent] = []
    if before != Message.SENT:
        told.append(events.event(row, MessageEvent.SENT, sent_time or row.update_time))
    if move.state != Message.SENT:
        told.append(events.event(row, events.KINDS[move.state], row.update_time))
    return told


def repeated(row: Row, receipt: Receipt) -> list[MessageEvent]:
    """The event of a receipt that says what is known: it may not have been told. Pure."""
    if row.state != receipt.state or row.state == Message.SENT:
        return []
    return [events.event(row, events.KINDS[row.state], row.update_time)]
