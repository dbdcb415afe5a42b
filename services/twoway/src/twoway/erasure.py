"""What this service does when an application is deleted: everything goes, opt-outs included.

Nothing can be sent for the application any more, so nobody needs them for protection; and they are
the numbers of people, which nobody may keep for no purpose.
"""

from heliograph import subjects
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from heliograph.audience.v1.events_pb2 import ApplicationDeleted
from heliograph.twoway.v1 import events_pb2
from mesh.aip import operations, request_ids
from mesh.eventing.erasures import SETTLE_SECONDS, Erasures
from mesh.objects import targets
from mesh.objects.opening import Objects
from mesh.store import erasing, orders
from mesh.store.tombstones import Sessions, Tombstones
from nats.js import JetStreamContext

from twoway import tables
from twoway.alarms import tables as alarms
from twoway.conversations import tables as conversations
from twoway.exports import tables as exports
from twoway.imports import tables as imports
from twoway.keywords import tables as keywords
from twoway.webhooks import tables as webhooks


def erasures(
    sessions: Sessions,
    js: JetStreamContext,
    gone: Tombstones,
    export_folder: str = "",
    objects: Objects | None = None,
    *,
    settle_seconds: float = SETTLE_SECONDS,
) -> Erasures:
    """The erasures of this service, what it exported to folders and object stores among them."""
    files = targets.erasing(export_folder), targets.erasing_objects(objects or Objects())
    messages = events_pb2.DESCRIPTOR.message_types_by_name.values()
    return Erasures(
        sessions,
        js,
        gone,
        erasing.rows_of(
            tables.metadata,
            alarms.metadata,
            conversations.metadata,
            exports.metadata,
            imports.metadata,
            keywords.metadata,
            webhooks.metadata,
            operations.metadata,
            request_ids.metadata,
            orders.metadata,
        ),
        ErasureReport,
        "twoway",
        heard=ApplicationDeleted,
        after=files,
        kept=[(subjects.TWOWAY.name, f"{message.full_name}.*") for message in messages],
        settle_seconds=settle_seconds,
    )
