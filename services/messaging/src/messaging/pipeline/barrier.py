"""The STOP barrier: a confirmation goes out after everything under way to its number.

A message becomes `HANDING`, committed, before consent is asked for it. So when no message to a
number is `HANDING` after its opt-out was recorded, none will be handed over any more.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.message_pb2 import Message

from messaging.ledger.rows import Row

DAYS_BACK_MAX = 31
"""A run's messages lie in the partition of its start, so this bounds how long a run may take."""

WAIT_SECONDS = 10.0
POLL_SECONDS = 0.05

_UNDER_WAY = """
SELECT EXISTS (
    SELECT FROM unnest($2::uuid[]) AS r (address_digest)
    CROSS JOIN LATERAL (
        SELECT state, purpose FROM messages
        WHERE application = $1 AND address_digest = r.address_digest AND address <> ''
            AND day >= $3
        OFFSET 0
    ) AS m
    WHERE m.state = $4 AND m.purpose <> $5
)
"""


async def wait(connection: Any, rows: Sequence[Row], now: datetime) -> bool:
    """Waits until nothing is under way to the rows' addresses; False when that takes too long.

    Other confirmations do not count, or two of them would wait for each other.
    """
    digests = [row.address_digest for row in rows]
    since = (now - timedelta(days=DAYS_BACK_MAX)).date()
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while await connection.fetchval(
        _UNDER_WAY,
        rows[0].application,
        digests,
        since,
        Message.HANDING,
        Purpose.OPT_OUT_CONFIRMATION,
    ):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
