"""Texts that people wrote: given an id that survives the carrier's repetitions, and announced."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.timestamp_pb2 import Timestamp
from heliograph.messaging.v1.events_pb2 import InboundSms, InboundSmsReceived
from mesh.eventing import publisher
from nats.js import JetStreamContext

from messaging.channels.inbound import InboundText
from messaging.ledger.persistence import Pool, persist
from messaging.metrics import INBOUND

SAME_ID_WITHIN = timedelta(days=1)
"""Carriers repeat what was not acknowledged for hours, and use their ids again after days."""

SAME_TEXT_WITHIN = timedelta(seconds=10)
"""Where a carrier gives no id: nobody writes the same twice as fast as it is repeated."""

_CLAIM = """
INSERT INTO inbound_texts AS t (application, key, inbound_id, receive_time)
SELECT $1, r.key, r.inbound_id, r.receive_time
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[])
    AS r (key, inbound_id, receive_time)
ON CONFLICT (application, key) DO UPDATE
SET inbound_id = excluded.inbound_id, receive_time = excluded.receive_time
WHERE t.receive_time < excluded.receive_time - $5::interval
RETURNING key, inbound_id
"""
_READ = "SELECT key, inbound_id FROM inbound_texts WHERE application = $1 AND key = ANY($2::uuid[])"


class Inbound:
    """Announces texts. They are known by their ids, so one that comes twice is one text."""

    def __init__(self, pool: Pool, js: JetStreamContext) -> None:
        self._pool = pool
        self._js = js

    async def receive(
        self, application: str, connection_name: str, batch: Sequence[InboundText]
    ) -> None:
        """Returns when the bus has the texts; raises when it has not, and the carrier repeats.

        A repetition is published again with the same id: its first publication may have failed.
        """
        ids: dict[UUID, str] = {}
        for within in (SAME_ID_WITHIN, SAME_TEXT_WITHIN):
            texts = {key_of(text): text for text in batch if within_of(text) == within}
            if texts:
                ids |= await persist(self._pool, _claiming(application, texts, within))
        unique = {ids[key_of(text)]: text for text in batch}
        message = InboundSmsReceived(
            application=application,
            messages=[
                _render(inbound_id, text, connection_name) for inbound_id, text in unique.items()
            ],
        )
        await publisher.publish(self._js, message, application, msg_id=_identity(unique))
        INBOUND.labels("announced").inc(len(unique))


def within_of(text: InboundText) -> timedelta:
    """How long a second text with the same key is the same text."""
    return SAME_ID_WITHIN if text.provider_id else SAME_TEXT_WITHIN


def key_of(text: InboundText) -> UUID:
    """What repetitions of a text have in common. Pure."""
    content = ("id", text.provider_id) if text.provider_id else ("text", text.text)
    parts = (*content, text.source_address, text.destination_address)
    return UUID(bytes=blake2b("\0".join(parts).encode(), digest_size=16).digest())


def _claiming(application: str, texts: dict[UUID, InboundText], within: timedelta) -> Any:
    async def claim(connection: Any) -> dict[UUID, str]:
        keys = sorted(texts)
        records = await connection.fetch(
            _CLAIM,
            application,
            keys,
            [str(uuid4()) for _ in keys],
            [texts[key].receive_time for key in keys],
            within,
        )
        ids = {record["key"]: record["inbound_id"] for record in records}
        known = [key for key in keys if key not in ids]
        if known:
            INBOUND.labels("repeated").inc(len(known))
            records = await connection.fetch(_READ, application, known)
            ids |= {record["key"]: record["inbound_id"] for record in records}
        return ids

    return claim


def _render(inbound_id: str, text: InboundText, connection_name: str) -> InboundSms:
    receive_time = Timestamp()
    receive_time.FromDatetime(text.receive_time)
    return InboundSms(
        inbound_id=inbound_id,
        source_address=text.source_address,
        destination_address=text.destination_address,
        text=text.text,
        receive_time=receive_time,
        connection=connection_name,
        parts=text.parts,
        incomplete=text.incomplete,
        mms=text.mms,
    )


def _identity(unique: dict[str, InboundText]) -> str:
    return blake2b("\n".join(unique).encode(), digest_size=16).hexdigest()
