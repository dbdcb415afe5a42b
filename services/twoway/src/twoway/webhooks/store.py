"""Every statement about posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from twoway import bulk
from twoway.tables import InboundMessage
from twoway.webhooks.tables import WebhookPost

# A post waits while an earlier one of the same person to the same number has not been taken over.
_FIRST = """
NOT EXISTS (
    SELECT FROM webhook_posts earlier
    WHERE earlier.application = o.application AND earlier.source_address = o.source_address
        AND earlier.destination_address = o.destination_address
        AND earlier.state = 'PENDING' AND earlier.id < o.id
)
"""
_DUE = f"""
SELECT DISTINCT p.application, p.webhook_uri
FROM phone_numbers p
LEFT JOIN webhook_destinations d ON d.application = p.application AND d.uri = p.webhook_uri
WHERE p.webhook_uri <> ''
    AND (d.uri IS NULL OR (d.lease_expire_time <= $1 AND d.attempt_time <= $1))
    AND EXISTS (
        SELECT FROM webhook_posts o
        WHERE o.application = p.application AND o.destination_address = p.phone_number
            AND o.state = 'PENDING' AND o.attempt_time <= $1 AND {_FIRST}
    )
LIMIT $2
"""
_LEASE = """
INSERT INTO webhook_destinations AS d
    (application, uri, lease, lease_expire_time, attempt_time, failed_rounds, failure)
VALUES ($1, $2, $3, $5, $4, 0, '')
ON CONFLICT (application, uri) DO UPDATE
SET lease = excluded.lease, lease_expire_time = excluded.lease_expire_time
WHERE d.lease_expire_time <= $4 AND d.attempt_time <= $4
RETURNING failed_rounds
"""
_RELEASE = """
UPDATE webhook_destinations
SET lease_expire_time = $4, attempt_time = $5, failed_rounds = $6,
    failing_time = CASE WHEN $6 > 0 THEN coalesce(failing_time, $4) END,
    failure = coalesce($7, failure), failure_status = coalesce($8, failure_status),
    failure_time = CASE WHEN $7::text IS NULL THEN failure_time ELSE $4 END,
    taken_time = CASE WHEN $9 THEN $4 ELSE taken_time END
WHERE application = $1 AND uri = $2 AND lease = $3
"""
_WAITING = f"""
SELECT o.id, o.inbound_message, o.destination_address, o.attempts, o.create_time, p.webhook_secrets
FROM webhook_posts o
JOIN phone_numbers p ON p.application = o.application AND p.phone_number = o.destination_address
WHERE o.application = $1 AND p.webhook_uri = $2 AND o.state = 'PENDING' AND o.attempt_time <= $3
    AND {_FIRST}
ORDER BY o.id LIMIT $4
"""
_DONE = "DELETE FROM webhook_posts WHERE application = $1 AND inbound_message = ANY($2::text[])"
_FAILED = """
UPDATE webhook_posts o
SET attempts = o.attempts + 1, failure = f.failure, state = f.state, attempt_time = f.attempt_time
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[])
    AS f (inbound_message, failure, state, attempt_time)
WHERE o.application = $1 AND o.inbound_message = f.inbound_message
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a post was not taken over. `status` is that of HTTP; 0 where nobody answered."""

    reason: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a round of posts ended. `failed_rounds` are those in which nothing was taken over."""

    attempt_time: datetime
    failed_rounds: int
    failure: Failure | None
    is_taken: bool


async def promise(connection: Any, messages: Sequence[InboundMessage], now: datetime) -> None:
    """Promise to post texts to the webhooks of their numbers, in the transaction that records them
    and in their order."""
    await bulk.insert(
        connection,
        [
            WebhookPost(
                application=message.application,
                inbound_message=message.inbound_message,
                source_address=message.source_address,
                destination_address=message.destination_address,
                attempt_time=now,
                create_time=now,
            )
            for message in messages
        ],
    )


async def due(connection: Any, now: datetime, limit: int) -> list[tuple[str, str]]:
    """Applications and uris that something is to be posted to now, and nobody posts to."""
    return [(record[0], record[1]) for record in await connection.fetch(_DUE, now, limit)]


async def lease(
    connection: Any, key: tuple[str, str], owner: str, now: datetime, lasts: timedelta
) -> int | None:
    """How many rounds have failed there, for whoever may post now; None for everybody else."""
    failed: int | None = await connection.fetchval(_LEASE, *key, owner, now, now + lasts)
    return failed


async def release(
    connection: Any, key: tuple[str, str], owner: str, now: datetime, ended: Ended
) -> None:
    """Let others post there from `attempt_time` on, and note how it went."""
    failure = ended.failure
    await connection.execute(
        *(_RELEASE, *key, owner, now, ended.attempt_time, ended.failed_rounds),
        *((failure.reason, failure.status) if failure else (None, None)),
        ended.is_taken,
    )


async def waiting(connection: Any, key: tuple[str, str], now: datetime, limit: int) -> list[Any]:
    """The posts whose turn it is: the first of each person."""
    found: list[Any] = await connection.fetch(_WAITING, *key, now, limit)
    return found


async def done(connection: Any, application: str, inbound_messages: Sequence[str]) -> None:
    """Forget posts that were taken over, or whose texts are gone."""
    if inbound_messages:
        await connection.execute(_DONE, application, list(inbound_messages))


async def failed(
    connection: Any, application: str, rows: Sequence[tuple[str, str, str, datetime]]
) -> None:
    """Note failures: the text, why, the state after it, and when to try again."""
    if rows:
        await connection.execute(_FAILED, application, *map(list, zip(*rows, strict=True)))
