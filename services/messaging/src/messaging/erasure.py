"""What this service does when an application is deleted: nothing is sent, then everything goes.

The ledger takes nothing of a buried application, and no slice of a batch moves its frontier,
without which it does not leave; what was leaving by then is waited for.
"""

import asyncio
from functools import partial
from typing import Final

from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from heliograph.messaging.v1.events_pb2 import InboundSmsReceived, MessagesChanged
from heliograph.messaging.v1.send_batch_pb2 import SendBatch
from mesh.aip import request_ids
from mesh.errors import Unavailable
from mesh.eventing.erasures import SETTLE_SECONDS, Erasures
from mesh.store import erasing, orders
from mesh.store.tombstones import Sessions, Tombstones
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from messaging.connections import Connections
from messaging.ledger import frontiers
from messaging.ledger.persistence import Pool, batch_lock
from messaging.ledger.tables import MESSAGES

DURABLES: Final = ("messaging-ApplicationDeleted", "messaging-UserErased")
ACK_WAIT_SECONDS: Final = 5.0
"""How soon another replica hears what a dead one has not taken in."""

POLL_SECONDS: Final = 0.1
WORKER_WAIT_SECONDS: Final = 120.0


def erasures(
    sessions: Sessions,
    js: JetStreamContext,
    gone: Tombstones,
    pool: Pool,
    connections: Connections,
    settle_seconds: float = SETTLE_SECONDS,
) -> Erasures:
    """The erasures of this service."""
    return Erasures(
        sessions,
        js,
        gone,
        erasing.rows_of(MESSAGES.metadata, request_ids.metadata, orders.metadata),
        ErasureReport,
        "messaging",
        heard=ApplicationDeleted,
        before=[partial(wait_for_workers, pool)],
        after=[partial(_close_channels, connections)],
        kept=[
            (subjects.SENDS.name, subjects.subject(SendBatch, "*", ">")),
            (subjects.MESSAGES.name, subjects.subject(MessagesChanged, "*")),
            (subjects.INBOUND.name, subjects.subject(InboundSmsReceived, "*")),
        ],
        settle_seconds=settle_seconds,
    )


async def caught_up(js: JetStreamContext) -> None:
    """Until every erasure so far has been heard: before that, no batch may be touched."""
    while True:
        if await _has_heard_all(js):
            return
        await asyncio.sleep(POLL_SECONDS)


async def wait_for_workers(pool: Pool, application: str) -> int:
    """Until nobody hands over a message of a buried application; there is nothing to count.

    Raises Unavailable when somebody still does after two minutes.
    """
    batch_ids = await frontiers.under_way(pool, application)
    try:
        async with asyncio.timeout(WORKER_WAIT_SECONDS):
            for batch_id in batch_ids:
                await _until_free(pool, batch_id)
    except TimeoutError:
        raise Unavailable(
            "BATCH_IN_WORK", f"messages of {application} are under way", application=application
        ) from None
    return 0


async def _has_heard_all(js: JetStreamContext) -> bool:
    try:
        infos = [await js.consumer_info(subjects.AUDIENCE.name, one) for one in DURABLES]
    except (NatsError, TimeoutError, OSError):
        return False
    return not any(info.num_pending or info.num_ack_pending for info in infos)


async def _until_free(pool: Pool, batch_id: str) -> None:
    while True:
        async with batch_lock(pool, batch_id) as connection:
            if connection is not None:
                return
        await asyncio.sleep(POLL_SECONDS)


async def _close_channels(connections: Connections, application: str) -> int:
    """Their rows are gone, so they close."""
    if connections.originations(application):
        await connections.refresh()
    return 0
