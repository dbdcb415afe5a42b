"""What this service does when an application is deleted: its events and its names of them go."""

from functools import partial

from heliograph import subjects
from heliograph.analytics.v1 import events_pb2
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from mesh.aip import operations, request_ids
from mesh.eventing.erasures import SETTLE_SECONDS, Erasures
from mesh.store import erasing, orders
from mesh.store.tombstones import Sessions, Tombstones
from nats.js import JetStreamContext

from analytics import tables
from analytics.eventstore.client import EventStore
from analytics.eventstore.erasing import erase_application


def erasures(
    sessions: Sessions,
    js: JetStreamContext,
    gone: Tombstones,
    store: EventStore,
    *,
    settle_seconds: float = SETTLE_SECONDS,
) -> Erasures:
    """The erasures of this service."""

    async def erase(application: str) -> int:
        return await erase_application(
            store, application, partial(erasing.note, sessions, application)
        )

    messages = events_pb2.DESCRIPTOR.message_types_by_name.values()
    return Erasures(
        sessions,
        js,
        gone,
        erasing.rows_of(
            tables.metadata, request_ids.metadata, orders.metadata, operations.metadata
        ),
        ErasureReport,
        "analytics",
        heard=ApplicationDeleted,
        after=[erase],
        kept=[(subjects.EVENTS.name, f"{message.full_name}.*") for message in messages],
        settle_seconds=settle_seconds,
    )
