"""Long texts: each part is stored before the carrier is answered, each text announced once.

The parts of a text may come by several connections to several replicas, and any of these may die
between two of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from mesh.telemetry import logging

from messaging.channels.inbound import InboundPart
from messaging.inbound import Inbound
from messaging.ledger.persistence import Pool
from messaging.long_texts import folding
from messaging.long_texts.folding import LongText
from messaging.metrics import INBOUND

_log = logging.get(__name__)

SWEPT_MAX = 100

_FIELDS = (
    "key, text_id, connection, source_address, destination_address, data_coding, parts,"
    " receive_time, due_time, announced"
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('long texts of ' || $1, 0))"
_READ = f"SELECT {_FIELDS} FROM long_texts WHERE application = $1 AND key = ANY($2::uuid[])"
_WRITE = f"""
INSERT INTO long_texts (application, {_FIELDS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (application, key) DO UPDATE SET text_id = excluded.text_id, parts = excluded.parts,
    source_address = excluded.source_address, receive_time = excluded.receive_time,
    due_time = excluded.due_time, announced = excluded.announced
"""
_ANNOUNCED = """
UPDATE long_texts SET parts = $4, announced = true
WHERE application = $1 AND key = $2 AND text_id = $3
"""
_DUE = f"""
SELECT application, {_FIELDS} FROM long_texts
WHERE due_time <= $1 AND NOT announced ORDER BY due_time LIMIT $2 FOR UPDATE SKIP LOCKED
"""


class LongTexts:
    """Keeps parts, and announces their texts."""

    def __init__(self, pool: Pool, inbound: Inbound) -> None:
        self._pool = pool
        self._inbound = inbound

    async def receive(
        self, application: str, connection_name: str, parts: Sequence[InboundPart], now: datetime
    ) -> None:
        """Returns when the parts are stored; raises when they are not, and the carrier repeats.

        What is whole is announced. Where that fails, a sweep does it: nothing is lost any more.
        """
        async with self._pool.acquire() as connection:
            changed = await keep(connection, application, connection_name, parts, now)
            whole = [text for text in changed if text.whole]
            try:
                await self._announce(connection, application, whole)
            except Exception as error:
                _log.warning("long_texts.not_announced", error=repr(error), texts=len(whole))

    async def sweep(self, now: datetime) -> int:
        """Announces what is due: left by a crash, or never completed; how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            records = await connection.fetch(_DUE, now, SWEPT_MAX)
            for application in sorted({record["application"] for record in records}):
                due = [_text(one) for one in records if one["application"] == application]
                await self._announce(connection, application, due)
        return len(records)

    async def _announce(self, connection: Any, application: str, texts: Sequence[LongText]) -> None:
        for name in sorted({text.connection for text in texts}):
            own = [text for text in texts if text.connection == name]
            await self._inbound.receive(
                application, name, [folding.inbound_text(text) for text in own]
            )
        forgotten = map(folding.announced, texts)
        await connection.executemany(
            _ANNOUNCED, [(application, one.key, one.text_id, one.parts) for one in forgotten]
        )
        incomplete = sum(not text.whole for text in texts)
        if incomplete:
            INBOUND.labels("incomplete").inc(incomplete)


async def keep(
    connection: Any,
    application: str,
    connection_name: str,
    parts: Sequence[InboundPart],
    now: datetime,
) -> Iterable[LongText]:
    """Store parts in a transaction of its own; the texts that have changed by them.

    Whoever else has parts for the application waits meanwhile.
    """
    async with connection.transaction():
        await connection.execute(_LOCK, application)
        keys = {folding.key_of(connection_name, part) for part in parts}
        known: dict[UUID, LongText] = {
            record["key"]: _text(record)
            for record in await connection.fetch(_READ, application, list(keys))
        }
        folded = folding.fold(known, connection_name, parts, now)
        await connection.executemany(
            _WRITE, [_row(application, one) for one in folded.changed.values()]
        )
    if folded.repeated:
        INBOUND.labels("part_repeated").inc(folded.repeated)
    return folded.changed.values()


def _text(record: Any) -> LongText:
    names = _FIELDS.split(", ")
    return LongText(**{name: record[name] for name in names})


def _row(application: str, text: LongText) -> tuple[Any, ...]:
    return (application, *(getattr(text, name) for name in _FIELDS.split(", ")))
