"""The STOP barrier: a confirmation goes out after everything under way to its number.

A message becomes `HANDING`, committed, before consent is asked for it. So when no message to a
number is `HANDING` after its opt-out was recorded, none will be handed over any more.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from heliograph.messaging.v1.content_pb2 import Purpose
from heliograph.messaging.v1.message_pb2 import Message

from messaging.pipeline.works import Work

DAYS_BACK_MAX = 31
"""A run's messages lie in the partition of its start, so this bounds how long a run may take."""

WAIT_SECONDS = 10.0
POLL_SECONDS = 0.05

_UNDER_WAY = """
SELECT DISTINCT r.address_digest FROM unnest($2::uuid[]) AS r (address_digest)
CROSS JOIN LATERAL (
    SELECT state, purpose FROM messages
    WHERE application = $1 AND address_digest = r.address_digest AND address <> ''
        AND day >= $3
    OFFSET 0
) AS m
WHERE m.state = $4 AND m.purpose <> $5
"""


async def kept(connection: Any, works: Sequence[Work], now: datetime) -> set[UUID]:
    """The ids of confirmations that something under way to their numbers keeps.

    Other confirmations do not count, or two of them would wait for each other.
    """
    confirmations = [
        work
        for work in works
        if work.row.purpose == Purpose.OPT_OUT_CONFIRMATION and work.rendered is not None
    ]
    if not confirmations:
        return set()
    records = await connection.fetch(
        _UNDER_WAY,
        confirmations[0].row.application,
        [work.row.address_digest for work in confirmations],
        (now - timedelta(days=DAYS_BACK_MAX)).date(),
        Message.HANDING,
        Purpose.OPT_OUT_CONFIRMATION,
    )
    under_way = {record[0] for record in records}
    return {work.row.message_id for work in confirmations if work.row.address_digest in under_way}


async def passed(connection: Any, works: Sequence[Work], now: datetime) -> bool:
    """Waits until nothing keeps any of the works; False when that takes too long."""
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while await kept(connection, works, now):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
