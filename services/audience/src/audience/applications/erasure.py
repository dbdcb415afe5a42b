"""What this service erases of a deleted application, and how it gathers what the others did."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from google.protobuf import any_pb2
from heliograph import subjects
from heliograph.audience.v1 import application_service_pb2 as service_pb
from heliograph.audience.v1 import events_pb2, user_service_pb2
from heliograph.audience.v1.erasure_report_pb2 import ErasureReport
from mesh.aip import operations, request_ids
from mesh.errors import NotFound
from mesh.eventing import publisher
from mesh.eventing.consumer import Consumer
from mesh.eventing.delivery import Delivery
from mesh.eventing.erasures import POLL_SECONDS, Erasures
from mesh.objects import targets
from mesh.objects.opening import Objects
from mesh.store import erasing, orders, tombstones
from mesh.store.erasing import Rows
from mesh.store.tombstones import Sessions, TombstoneRow, Tombstones
from mesh.telemetry import logging
from nats.js import JetStreamContext
from sqlmodel import col, select

from audience import tables
from audience.applications import deletion
from audience.persons import gathering

REMIND_SECONDS: Final = 3600.0
"""Between two announcements of a deletion that somebody has not answered: streams forget."""

REMINDED_MAX: Final = 1_000

# Everything but the operation that tells of it.
_OPERATIONS: Final = Rows(
    "operations",
    "application = :application AND id <> (SELECT split_part(t.operation, '/', 4)"
    " FROM tombstones t WHERE t.application = :application)",
)

# That its lists were read, and that a list ended: no address is in them.
_MARKS: Final = Rows(
    "address_opt_out", "application = :application AND address = ''", counted=False
)

_log = logging.get(__name__)


def erasures(
    sessions: Sessions,
    js: JetStreamContext,
    gone: Tombstones,
    export_folder: str = "",
    objects: Objects | None = None,
    *,
    poll_seconds: float = POLL_SECONDS,
) -> Erasures:
    """The erasures of this service, what it exported to folders and object stores among them."""
    rows = [
        _MARKS,
        *erasing.rows_of(tables.metadata, request_ids.metadata, orders.metadata),
        _OPERATIONS,
    ]
    files = targets.erasing(export_folder), targets.erasing_objects(objects or Objects())
    return Erasures(
        *(sessions, js, gone, rows, ErasureReport, "audience"),
        after=files,
        kept=_kept(),
        poll_seconds=poll_seconds,
    )


def consumer(js: JetStreamContext, sessions: Sessions) -> Consumer:
    """Hears what each service has erased."""
    return Consumer(
        js,
        subjects.AUDIENCE.name,
        "audience-ErasureReport",
        subjects.subject(ErasureReport, "*"),
        Gathering(sessions).handle,
        concurrency=1,
    )


class Gathering:
    """Writes what each service has erased into the operation; the last answer ends it."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def handle(self, delivery: Delivery) -> None:
        """Note one answer, any number of times."""
        report = delivery.parse(ErasureReport)
        async with self._sessions.begin() as session:
            try:
                row = await operations.get(session, report.operation, lock=True)
            except NotFound:
                return  # it ended so long ago that it is forgotten
            packed = any_pb2.Any.FromString(row.progress)
            if packed.Is(user_service_pb2.DeleteUserMetadata.DESCRIPTOR):
                await gathering.note(session, row, report)
                return
            progress = service_pb.DeleteApplicationMetadata()
            packed.Unpack(progress)
            _note(progress, report)
            await operations.update(session, report.operation, progress)
            if all(one.HasField("erase_time") for one in progress.services):
                response = service_pb.DeleteApplicationResponse(
                    application=progress.application, services=progress.services
                )
                await operations.finish(session, report.operation, response)


async def remind(sessions: Sessions, js: JetStreamContext) -> int:
    """Announce again what somebody has not answered; how many deletions that were."""
    async with sessions() as session:
        id_ = col(operations.OperationRow.id)
        query = (
            select(TombstoneRow)
            .join(
                operations.OperationRow,
                (col(operations.OperationRow.application) == col(TombstoneRow.application))
                & col(TombstoneRow.operation).endswith(id_),
            )
            .where(~col(operations.OperationRow.done))
            .limit(REMINDED_MAX)
        )
        waiting = (await session.exec(query)).all()
    for row in waiting:
        async with sessions.begin() as session:
            now = datetime.now(UTC)
            await tombstones.bury(session, row.application, row.operation, row.delete_time, now)
        event = deletion.announcement(row.application, row.operation, row.delete_time)
        await publisher.publish(js, event, row.application)
    return len(waiting)


async def remind_forever(sessions: Sessions, js: JetStreamContext) -> None:
    """Remind until cancelled."""
    while True:
        await asyncio.sleep(REMIND_SECONDS)
        try:
            await remind(sessions, js)
            await gathering.remind(sessions, js)
        except Exception as error:
            _log.warning("deletions.not_announced_again", error=repr(error))


def _note(progress: service_pb.DeleteApplicationMetadata, report: ErasureReport) -> None:
    for one in progress.services:
        if one.service == report.service:
            one.erased_rows.clear()
            one.erased_rows.update(report.erased_rows)
            one.erase_time.CopyFrom(report.erase_time)


def _kept() -> list[tuple[str, str]]:
    """Every announcement of this service but that of the deletion."""
    persons = (subjects.AUDIENCE.name, subjects.subject(events_pb2.UserErased, "*", ">"))
    return [persons] + [
        (subjects.AUDIENCE.name, f"{message.full_name}.*")
        for name, message in events_pb2.DESCRIPTOR.message_types_by_name.items()
        if name != events_pb2.ApplicationDeleted.DESCRIPTOR.name
    ]
