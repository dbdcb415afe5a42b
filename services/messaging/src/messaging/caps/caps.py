"""The caps of a batch: which of its messages would be one too many.

A message counts from the moment it enters the ledger to be handed over, in one transaction with
that. It no longer counts once it has certainly not been sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging.caps import counters
from messaging.caps.counters import Counter, Reservation
from messaging.ledger.rows import Row

DAY: Final = timedelta(hours=24)
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
UNLIMITED: Final = 2**31 - 1
NOT_SENT: Final = frozenset({Message.SKIPPED, Message.FAILED})

Kinds = list[tuple[Reason.ValueType, Counter]]


@dataclass(frozen=True, slots=True)
class Usage:
    """How many messages an endpoint has had by each cap, and the caps that are used up."""

    counts: dict[Reason.ValueType, int] = field(default_factory=dict)
    used_up: list[Reason.ValueType] = field(default_factory=list)


async def reserve(
    connection: Any,
    caps: SendBatch.Caps,
    rows: Sequence[Row],
    now: datetime,
    unsent: Sequence[Row] = (),
) -> list[tuple[Row, Reason.ValueType]]:
    """Count messages that are about to be handed over; those that would be too many, and why.

    In the transaction that enters them, or that ends or puts off the `unsent`, which were counted
    before and no longer are. All are of one application.
    """
    if any(row.endpoint_id for row in unsent):
        await _free(connection, caps, rows, unsent)
    refused: list[tuple[Row, Reason.ValueType]] = []
    for round_ in _rounds(rows):
        refused += await _reserve(connection, caps, round_, now)
    return refused


async def give_back(connection: Any, caps: SendBatch.Caps, rows: Sequence[Row]) -> None:
    """Let those of the messages no longer count that have ended without being sent."""
    unsent = [row for row in rows if row.state in NOT_SENT and row.endpoint_id]
    if unsent:
        application, reservations = unsent[0].application, [_reservation(row) for row in unsent]
        for _, counter in kinds(application, caps, EVER):
            await counters.give_back(connection, application, counter.key, reservations)


async def usages(
    connection: Any,
    application: str,
    caps: SendBatch.Caps,
    endpoint_ids: Sequence[str],
    now: datetime,
) -> list[Usage]:
    """What each of the endpoints has had, in their order."""
    found = [Usage() for _ in endpoint_ids]
    for reason, counter in kinds(application, caps, now):
        counts = await counters.counts(connection, counter, sorted(set(endpoint_ids)))
        for usage, endpoint_id in zip(found, endpoint_ids, strict=True):
            usage.counts[reason] = counts.get(endpoint_id, 0)
            if usage.counts[reason] >= counter.count_max:
                usage.used_up.append(reason)
    return found


def kinds(application: str, caps: SendBatch.Caps, now: datetime) -> Kinds:
    """The counters that count, in the order in which they are always taken."""
    daily = Counter(application, counters.DAILY, caps.daily_max or UNLIMITED, now - DAY)
    if not caps.total_max:
        return [(Reason.DAILY_CAP, daily)]
    total = Counter(application, caps.total_key, caps.total_max, EVER)
    return [(Reason.CAMPAIGN_CAP, total), (Reason.DAILY_CAP, daily)]


async def _free(
    connection: Any, caps: SendBatch.Caps, rows: Sequence[Row], unsent: Sequence[Row]
) -> None:
    """Takes every counter that is needed before any is written, so that the order is kept."""
    freed = [_reservation(row) for row in unsent if row.endpoint_id]
    endpoint_ids = {row.endpoint_id for row in (*rows, *unsent) if row.endpoint_id}
    for _, counter in kinds(unsent[0].application, caps, EVER):
        await counters.lock(connection, counter, endpoint_ids)
        await counters.give_back(connection, counter.application, counter.key, freed)


async def _reserve(
    connection: Any, caps: SendBatch.Caps, rows: dict[str, Row], now: datetime
) -> list[tuple[Row, Reason.ValueType]]:
    refused: list[tuple[Row, Reason.ValueType]] = []
    taken: list[Counter] = []
    for reason, counter in kinds(next(iter(rows.values())).application, caps, now):
        if not rows:
            break
        reservations = [_reservation(row) for row in rows.values()]
        allowed = await counters.reserve(connection, counter, reservations, now)
        over = {key: row for key, row in rows.items() if key not in allowed}
        if over:
            freed = [_reservation(row) for row in over.values()]
            for earlier in taken:
                await counters.give_back(connection, earlier.application, earlier.key, freed)
        refused += [(row, reason) for row in over.values()]
        rows = {key: row for key, row in rows.items() if key in allowed}
        taken.append(counter)
    return refused


def _rounds(rows: Sequence[Row]) -> Iterator[dict[str, Row]]:
    """The rows by endpoint; an endpoint that is there twice is in two rounds."""
    left = [row for row in rows if row.endpoint_id]
    while left:
        round_: dict[str, Row] = {}
        later = []
        for row in left:
            if row.endpoint_id in round_:
                later.append(row)
            else:
                round_[row.endpoint_id] = row
        yield round_
        left = later


def _reservation(row: Row) -> Reservation:
    return Reservation(row.endpoint_id, row.message_id)
