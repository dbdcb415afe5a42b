"""Settling what no receipt has settled in time: by policy, or by a person's decision."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.reason_pb2 import Reason
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.telemetry import logging
from nats.js import JetStreamContext

from messaging import events
from messaging.announcing import announce
from messaging.direct import outbox
from messaging.ledger import unknowns
from messaging.ledger.persistence import Pool
from messaging.ledger.rows import COLUMNS, Row, of_record
from messaging.ledger.statements import JOINED, given, on_day

_log = logging.get(__name__)

GROUP_SIZE_MAX = 500

_GIVE_UP = f"""
UPDATE {{partition}} m SET state = $4, reason = $5, update_time = $6
FROM {given("$3::uuid[]", "message_id")}
WHERE {JOINED} AND m.state = $7
RETURNING {", ".join(f"m.{name}" for name in COLUMNS)}
"""

_ACCEPT_AGAIN = f"""
UPDATE {{partition}} m SET state = $4, batch_id = r.batch_id, update_time = $5
FROM {given("$3::uuid[], $6::text[]", "message_id, batch_id")}
WHERE {JOINED} AND m.state = $7
RETURNING m.message_id
"""

Due = tuple[str, date, UUID, bytes]


class Settling:
    """Gives up, or sends again, what stayed `UNKNOWN` past its channel's window."""

    def __init__(self, pool: Pool, js: JetStreamContext, outgoing: outbox.Outbox) -> None:
        self._pool = pool
        self._js = js
        self._outbox = outgoing

    async def sweep(self, now: datetime) -> int:
        """Settles one group of those that are due; how many they were.

        The batches that send again leave after the commit, or else with the next sweep of the
        direct lane: a batch that came before would find its message still `UNKNOWN`.
        """
        batches: list[SendBatch] = []
        async with self._pool.acquire() as connection, connection.transaction():
            due = await unknowns.take_due(connection, now, GROUP_SIZE_MAX)
            partitions: dict[tuple[str, date], list[Due]] = defaultdict(list)
            for one in due:
                partitions[one[0], one[1]].append(one)
            for (application, day), group in partitions.items():
                dropped = [message_id for _, _, message_id, resend in group if not resend]
                resent = {message_id: resend for _, _, message_id, resend in group if resend}
                await self._give_up(connection, application, day, dropped, now)
                batches += await self._accept(connection, application, day, resent, now)
            await outbox.add(connection, batches, now)
        await self._outbox.publish(batches)
        return len(due)

    async def _give_up(
        self, connection: Any, application: str, day: date, ids: Sequence[UUID], now: datetime
    ) -> None:
        records = await connection.fetch(
            on_day(_GIVE_UP, day),
            application,
            day,
            ids,
            Message.FAILED,
            Reason.OUTCOME_UNKNOWN,
            now,
            Message.UNKNOWN,
        )
        rows: list[Row] = [of_record(record) for record in records]
        if rows:
            _log.warning("messages.given_up", application=application, count=len(rows))
            told = [events.event(row, MessageEvent.FAILED, now) for row in rows]
            await announce(self._js, application, told)

    async def _accept(
        self,
        connection: Any,
        application: str,
        day: date,
        resent: dict[UUID, bytes],
        now: datetime,
    ) -> list[SendBatch]:
        """Makes messages `ACCEPTED` for the batches that send them again; those batches."""
        batches = {message_id: SendBatch.FromString(raw) for message_id, raw in resent.items()}
        records = await connection.fetch(
            on_day(_ACCEPT_AGAIN, day),
            application,
            day,
            list(batches),
            Message.ACCEPTED,
            now,
            [batch.batch_id for batch in batches.values()],
            Message.UNKNOWN,
        )
        if records:
            _log.warning("messages.sent_again", application=application, count=len(records))
        return [batches[record[0]] for record in records]
