"""What was exported of a person: rewritten without them, in folders and in object stores."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from heliograph.audience.v1 import export_job_pb2
from heliograph.audience.v1.events_pb2 import UserErased
from mesh.errors import Unavailable
from mesh.eventing.orders import Kept
from mesh.objects import sources
from mesh.objects.opening import Objects
from mesh.store import orders
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from mesh.telemetry import logging
from sqlmodel import col, func, select

from audience.persons import rewriting
from audience.persons.exported_objects import ExportedObjects
from audience.persons.rewriting import Sought
from audience.transfers.tables import ExportJobRow

LEFT_BEHIND: Final = (".partial", ".records", rewriting.PARTIAL)
"""What a worker that died has left of a file that was not whole."""

JOBS_MAX: Final = 10_000

_log = logging.get(__name__)


class Exported:
    """Takes a person out of exported files; the folder is one that all replicas see."""

    def __init__(self, sessions: Sessions, folder: str, objects: Objects | None = None) -> None:
        self._sessions = sessions
        self._folder = folder
        self._objects = ExportedObjects(sessions, objects or Objects())
        self._unread: dict[str, set[Path]] = {}

    async def erase(self, order: OrderRow) -> int:
        """Rewrite the files that hold the person; rows found. Raises Unavailable while a job that
        has read members before the erasure is writing."""
        jobs = await self._jobs(order)
        _refuse_running(jobs)
        event = UserErased.FromString(order.subject)
        sought = Sought(
            endpoints=frozenset(name.split("/", 3)[3] for name in event.endpoints),
            addresses=frozenset(event.addresses),
            user_id=event.user_id,
        )
        async with self._sessions.begin() as session:
            lock = select(func.pg_try_advisory_xact_lock(func.hashtextextended(order.operation, 0)))
            if not await session.scalar(lock):
                raise Unavailable("EXPORTS_IN_WORK", "another replica is at the exported files")
            found = 0
            for job in jobs:
                if sources.is_object(job.path):
                    found += await self._objects.erase(order, job, sought)
            if self._folder:
                found += await self._rewrite_all(order, sought)
        return found

    async def _rewrite_all(self, order: OrderRow, sought: Sought) -> int:
        root = Path(self._folder) / order.application
        self._unread[order.operation] = set()
        found = 0
        for path in await asyncio.to_thread(list, _files(root, order.order_time)):
            if path.name.endswith(LEFT_BEHIND):
                await asyncio.to_thread(path.unlink, missing_ok=True)
            elif rewriting.is_export(path):
                found += await self._rewrite(order, path, sought)
        return found

    async def keeping(self, order: OrderRow) -> list[Kept]:
        """Files that could not be rewritten."""
        why = "it could not be rewritten, so the person may be in it: delete it"
        unread = sorted(self._unread.pop(order.operation, set()))
        kept = [Kept(f"export {path}", why, 1) for path in unread]
        return kept + self._objects.keeping(order)

    async def _jobs(self, order: OrderRow) -> Sequence[ExportJobRow]:
        query = (
            select(ExportJobRow)
            .where(ExportJobRow.application == order.application)
            .where(col(ExportJobRow.read_time) <= order.order_time)
        )
        async with self._sessions() as session:
            return (await session.exec(query.limit(JOBS_MAX))).all()

    async def _rewrite(self, order: OrderRow, path: Path, sought: Sought) -> int:
        try:
            rows = await asyncio.to_thread(rewriting.rewrite, path, sought)
        except (OSError, ValueError) as error:
            _log.warning("export.not_rewritten", path=str(path), error=repr(error))
            self._unread[order.operation].add(path)
            return 0
        if rows:
            await orders.count(self._sessions, order, "exported rows", rows)
        return rows


def _refuse_running(jobs: Sequence[ExportJobRow]) -> None:
    for job in jobs:
        if job.state == export_job_pb2.ExportJob.RUNNING:
            message = f"export job {job.export_job} has read the person, perhaps"
            raise Unavailable("EXPORT_UNDER_WAY", message, export_job=job.export_job)


def _files(root: Path, before: datetime) -> Iterator[Path]:
    """Every file below a folder; links lead elsewhere and are not followed."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            if not path.is_symlink() and (
                not name.endswith(LEFT_BEHIND)
                or datetime.fromtimestamp(path.stat().st_mtime, UTC) < before
            ):
                yield path
