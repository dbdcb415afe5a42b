"""What this service does when an application is deleted: its runs stop, then everything goes."""

from functools import partial

from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from heliograph.campaign.v1 import events_pb2
from mesh.aip import request_ids
from mesh.eventing.erasures import SETTLE_SECONDS, Erasures
from mesh.store import erasing, orders
from mesh.store.tombstones import Sessions, Tombstones
from nats.js import JetStreamContext

from campaign import store, tables


def erasures(
    sessions: Sessions,
    js: JetStreamContext,
    gone: Tombstones,
    *,
    settle_seconds: float = SETTLE_SECONDS,
) -> Erasures:
    """The erasures of this service."""
    messages = events_pb2.DESCRIPTOR.message_types_by_name.values()
    return Erasures(
        sessions,
        js,
        gone,
        erasing.rows_of(tables.metadata, request_ids.metadata, orders.metadata),
        ErasureReport,
        "campaign",
        heard=ApplicationDeleted,
        before=[partial(stop, sessions)],
        kept=[(subjects.CAMPAIGN.name, f"{message.full_name}.*") for message in messages],
        settle_seconds=settle_seconds,
    )


async def stop(sessions: Sessions, application: str) -> int:
    """Launch nothing more, and let nobody hand over another page. There is nothing to wait for."""
    async with sessions.begin() as session:
        await store.stop_application(session, application)
    return 0
