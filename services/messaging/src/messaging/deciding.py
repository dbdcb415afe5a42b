"""Decisions of people about messages: cancelling a run's, settling unknown ones."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from heliograph.message_ids import day_of
from heliograph.messaging.v1.events_pb2 import MessageEvent
from heliograph.messaging.v1.message_pb2 import Message
from heliograph.messaging.v1.message_service_pb2 import SettleMessagesRequest
from heliograph.messaging.v1.reason_pb2 import Reason
from mesh.errors.refusals import unsupported
from nats.js import JetStreamContext

from messaging import events
from messaging.announcing import announce
from messaging.ledger.persistence import Pool
from messaging.ledger.rows import COLUMNS, SELECTED, of_record
from messaging.ledger.statements import JOINED, given, on_day

_REMEMBER = """
INSERT INTO cancelled_runs (application, run, create_time) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
"""
_CANCEL = f"""
UPDATE messages SET state = $3, reason = $4, update_time = $5
WHERE application = $1 AND run = $2 AND run <> '' AND state = $6
RETURNING {SELECTED}
"""  # columns of our own
_SETTLE = f"""
UPDATE {{partition}} m SET state = $4::smallint, reason = $5, update_time = $6,
    sent_time = CASE WHEN $4::smallint = $7 THEN coalesce(sent_time, $6) ELSE sent_time END
FROM {given("$3::uuid[]", "message_id")}
WHERE {JOINED} AND m.state = $8
RETURNING {", ".join(f"m.{name}" for name in COLUMNS)}
"""
_FORGET = """
DELETE FROM unknown_messages WHERE application = $1 AND day = $2 AND message_id = ANY($3::uuid[])
"""


class Deciding:
    """What people decide. Events are announced before the decision is committed."""

    def __init__(self, pool: Pool, js: JetStreamContext) -> None:
        self._pool = pool
        self._js = js

    async def cancel(self, application: str, run: str, now: datetime) -> int:
        """Cancels what has not been handed over; how many of it were in the ledger already."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_REMEMBER, application, run, now)
            records = await connection.fetch(
                _CANCEL,
                application,
                run,
                Message.SKIPPED,
                Reason.CANCELLED,
                now,
                Message.ACCEPTED,
            )
            rows = [of_record(record) for record in records]
            told = [events.event(row, MessageEvent.SKIPPED, now) for row in rows]
            await announce(self._js, application, told)
        return len(rows)

    async def settle(
        self,
        application: str,
        ids: Sequence[UUID],
        decision: SettleMessagesRequest.Decision.ValueType,
        now: datetime,
    ) -> int:
        """Settles messages that are `UNKNOWN`; how many were."""
        if decision == SettleMessagesRequest.RESEND:
            raise unsupported("decision.RESEND")
        by_day: dict[date, list[UUID]] = defaultdict(list)
        for message_id in ids:
            by_day[day_of(message_id)].append(message_id)
        sent = decision == SettleMessagesRequest.MARK_SENT
        settled = 0
        async with self._pool.acquire() as connection, connection.transaction():
            for day, day_ids in by_day.items():
                records = await connection.fetch(
                    on_day(_SETTLE, day),
                    application,
                    day,
                    day_ids,
                    Message.SENT if sent else Message.FAILED,
                    Reason.REASON_UNSPECIFIED if sent else Reason.OUTCOME_UNKNOWN,
                    now,
                    Message.SENT,
                    Message.UNKNOWN,
                )
                rows = [of_record(record) for record in records]
                settled += len(rows)
                await connection.execute(
                    _FORGET, application, day, [row.message_id for row in rows]
                )
                kind = MessageEvent.SENT if sent else MessageEvent.FAILED
                await announce(
                    self._js, application, [events.event(row, kind, now) for row in rows]
                )
        return settled
