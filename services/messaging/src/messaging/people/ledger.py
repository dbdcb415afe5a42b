"""How the ledger forgets a person: the row that counts stays, and nobody is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from heliograph.audience.v1.endpoint_pb2 import Endpoint
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch

from messaging import addresses
from messaging.ledger.rows import SELECTED, Row, of_record
from messaging.ledger.statements import JOINED, given, on_day

NOBODY: Final = addresses.digest("")

# Kept: run, treatment, channel, purpose, country, parts, state, reason and times.
_FORGET: Final = """
endpoint_id = '', user_id = '', address = '', address_digest = $1::uuid, run_address_digest = NULL,
    detail = '', provider_message_id = '', context = NULL
"""
THEIRS: Final = """
application = {application} AND create_time <= {until} AND (
    endpoint_id <> '' AND endpoint_id = ANY({endpoints})
    OR user_id <> '' AND user_id = {user}
    OR address <> '' AND address_digest = ANY({digests}))
"""
_WHO: Final = THEIRS.format(
    application="$1",
    until="$2::timestamptz",
    endpoints="$3::text[]",
    user="$4::text",
    digests="$5::uuid[]",
)
_HANDING: Final = f"SELECT EXISTS (SELECT FROM messages WHERE {_WHO} AND state = $6)"
_STOP: Final = f"""
UPDATE messages SET state = $6, reason = $7, update_time = now()
WHERE {_WHO} AND state = $8
RETURNING {SELECTED}
"""
_NOT_RESENT: Final = """
DELETE FROM unknown_messages WHERE application = $1 AND message_id = ANY($2::uuid[])
"""
_HELD: Final = """
SELECT batch_id, payload FROM held_batches
WHERE application = $1 AND batch_id = ANY($2::text[]) ORDER BY batch_id FOR UPDATE
"""
_REPACK: Final = """
UPDATE held_batches SET payload = $3 WHERE application = $1 AND batch_id = $2
"""
_SCRUB: Final = f"""
WITH scrubbed AS (
    UPDATE {{partition}} m SET {_FORGET.replace("$1::uuid", "$4::uuid")}
    FROM {given("$3::uuid[]", "message_id")}
    WHERE {JOINED} AND (m.endpoint_id <> '' OR m.user_id <> '' OR m.address <> '')
    RETURNING 1
), counted AS (SELECT count(*) AS rows FROM scrubbed)
UPDATE erasure_orders SET erased_rows = erased_rows || jsonb_build_object(
    'messages', coalesce((erased_rows->>'messages')::bigint, 0) + counted.rows)
FROM counted WHERE application = $1 AND operation = $5 AND counted.rows > 0
"""

ERASE: Final = (
    f"UPDATE messages SET {_FORGET.replace('$1::uuid', ':nobody')} WHERE "
    + THEIRS.format(
        application=":application",
        until=":until",
        endpoints="CAST(:endpoints AS text[])",
        user=":user_id",
        digests="CAST(:digests AS uuid[])",
    )
)
"""What is left of a person goes, for `mesh.store.orders`, which counts it."""


@dataclass(frozen=True)
class Person:
    """Whose messages are meant: created until then, by endpoint, user or address."""

    application: str
    until: datetime
    endpoints: Sequence[str]
    user_id: str
    addresses: Sequence[str]

    @property
    def digests(self) -> list[UUID]:
        """What the ledger knows the addresses by."""
        return [addresses.digest(one) for one in self.addresses]

    def is_meant(self, endpoint: Endpoint) -> bool:
        """Whether a recipient of a batch is the person: by endpoint, or by a bare address."""
        if endpoint.name:
            return endpoint.name.rpartition("/")[2] in self.endpoints
        return endpoint.address in self.addresses

    @property
    def who(self) -> tuple[Any, ...]:
        """The first five parameters of the statements."""
        return self.application, self.until, list(self.endpoints), self.user_id, self.digests


async def is_handing(connection: Any, person: Person) -> bool:
    """Whether a message to the person is being handed over at this moment."""
    return bool(await connection.fetchval(_HANDING, *person.who, Message.HANDING))


async def stop(connection: Any, person: Person) -> list[Row]:
    """End what is not sent yet or perhaps not sent; those rows, with nobody in them."""
    waiting = await connection.fetch(
        _STOP, *person.who, Message.SKIPPED, Reason.SUPPRESSED, Message.ACCEPTED
    )
    unknown = await connection.fetch(
        _STOP, *person.who, Message.FAILED, Reason.OUTCOME_UNKNOWN, Message.UNKNOWN
    )
    if unknown:
        ids = [record["message_id"] for record in unknown]
        await connection.execute(_NOT_RESENT, person.application, ids)
    rows = [of_record(record) for record in [*waiting, *unknown]]
    await _release(connection, person, {row.batch_id for row in rows})
    for row in rows:
        forget(row)
    return rows


async def _release(connection: Any, person: Person, batch_ids: set[str]) -> None:
    """Take the person out of batches that wait until quiet time is over."""
    for batch_id, payload in await connection.fetch(_HELD, person.application, sorted(batch_ids)):
        batch = SendBatch.FromString(payload)
        others = [one for one in batch.recipients if not person.is_meant(one.endpoint)]
        del batch.recipients[:]
        batch.recipients.extend(others)
        rest = batch.SerializeToString()
        await connection.execute(_REPACK, person.application, batch_id, rest)


async def scrub(connection: Any, rows: Sequence[Row], operation: str) -> None:
    """Forget whom messages, all of one day, were for; that operation counts it."""
    first = rows[0]
    ids = [row.message_id for row in rows]
    await connection.execute(
        on_day(_SCRUB, first.day), first.application, first.day, ids, NOBODY, operation
    )


def forget(row: Row) -> None:
    """The row without anybody in it, as it is told."""
    row.endpoint_id = row.user_id = row.address = row.detail = row.provider_message_id = ""
    row.address_digest, row.run_address_digest, row.context = NOBODY, None, None
