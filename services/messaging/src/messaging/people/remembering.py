"""Whom nothing is sent to that was meant for them before they were erased.

A batch carries its recipients, and may wait on the bus for days. So who was erased is known here by
digests for a month. Somebody who came again since is not meant: their endpoint is younger.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from heliograph.audience.v1.events_pb2 import UserErased
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from messaging.pipeline.works import Work

ENDPOINT: Final = "endpoint"
ADDRESS: Final = "address"

_REMEMBER: Final = text(
    """
INSERT INTO erased_recipients AS e (application, digest, erase_time, hear_time, operation)
SELECT :application, d.digest, :erase_time, :now, :operation
FROM unnest(CAST(:digests AS uuid[])) AS d (digest)
ON CONFLICT (application, digest) DO UPDATE
SET erase_time = excluded.erase_time, hear_time = excluded.hear_time,
    operation = excluded.operation
WHERE e.erase_time < excluded.erase_time
"""
)
_ANY: Final = "SELECT EXISTS (SELECT FROM erased_recipients WHERE application = $1)"
_FIND: Final = """
SELECT digest, erase_time, operation FROM erased_recipients
WHERE application = $1 AND digest = ANY($2::uuid[])
"""


async def remember(session: AsyncSession, event: UserErased, now: datetime) -> None:
    """Know from now on that a person was erased."""
    names = [(ENDPOINT, name.rpartition("/")[2]) for name in event.endpoints]
    names += [(ADDRESS, address) for address in event.addresses]
    values = {
        "application": event.application,
        "digests": sorted(digest(*name) for name in names),
        "erase_time": event.erase_time.ToDatetime(UTC),
        "now": now,
        "operation": event.operation,
    }
    await (await session.connection()).execute(_REMEMBER, values)


async def erased(
    connection: Any, batch: SendBatch, works: Sequence[Work]
) -> list[tuple[Work, str]]:
    """Those of a batch's messages that were meant for people who are erased by now, and by which
    operation.

    One short question where the application has erased nobody of late.
    """
    if not works or not await connection.fetchval(_ANY, batch.application):
        return []
    digests = {work.row.message_id: _digest(work) for work in works}
    records = await connection.fetch(_FIND, batch.application, _known(digests.values()))
    known = {record[0]: (record[1], record[2]) for record in records}
    found = []
    for work in works:
        time, operation = known.get(digests[work.row.message_id], (None, ""))
        if time is not None and _since(batch, work) <= time:
            found.append((work, operation))
    return found


def digest(kind: str, name: str) -> UUID:
    """What an endpoint or an address is known by."""
    return UUID(bytes=blake2b(f"{kind}\0{name}".encode(), digest_size=16).digest())


def _digest(work: Work) -> UUID | None:
    """An endpoint is known by its id; who was addressed without one, by the address."""
    if work.row.endpoint_id:
        return digest(ENDPOINT, work.row.endpoint_id)
    return digest(ADDRESS, work.row.address) if work.row.address else None


def _since(batch: SendBatch, work: Work) -> datetime:
    """How long the recipient has been there: the endpoint, or else the wish to send."""
    endpoint = work.recipient.endpoint
    since = endpoint.create_time if endpoint.name else batch.source_time
    return since.ToDatetime(UTC)


def _known(digests: Iterable[UUID | None]) -> list[UUID]:
    return [one for one in digests if one is not None]
