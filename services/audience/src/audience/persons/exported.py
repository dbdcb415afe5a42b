"""What was exported of a person: rewritten without them, in folders and in object stores."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from heliograph.audience.v1 import export_job_pb2
from heliograph.audience.v1.events_pb2 import UserErased
from mesh.errors import Unavailable
from mesh.eventing.orders import Kept
from mesh.objects import sources
from mesh.objects.erased_files import ErasedFiles, Naming
from mesh.objects.opening import Objects
from mesh.objects.rewriting import PARTIAL
from mesh.store.orders import OrderRow
from mesh.store.tombstones import Sessions
from sqlmodel import col, select

from audience.persons import rewriting
from audience.persons.rewriting import Sought
from audience.transfers.tables import ExportJobRow

LEFT_BEHIND: Final = (".partial", ".records", PARTIAL)
"""What a worker that died has left of a file that was not whole."""

JOBS_MAX: Final = 10_000


def _is_left_behind(path: Path) -> bool:
    return path.name.endswith(LEFT_BEHIND)


class Exported:
    """Takes a person out of exported files; the folder is one that all replicas see."""

    def __init__(self, sessions: Sessions, folder: str, objects: Objects | None = None) -> None:
        self._sessions = sessions
        naming = Naming(rewriting.is_export, _is_left_behind)
        self._files = ErasedFiles(sessions, folder, objects, naming)

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
        objects = [
            job.path + name for job in jobs if sources.is_object(job.path) for name in job.files
        ]
        return await self._files.erase(order, partial(rewriting.rewrite, sought=sought), objects)

    async def keeping(self, order: OrderRow) -> list[Kept]:
        """Files that could not be rewritten."""
        return self._files.keeping(order)

    async def _jobs(self, order: OrderRow) -> Sequence[ExportJobRow]:
        query = (
            select(ExportJobRow)
            .where(ExportJobRow.application == order.application)
            .where(col(ExportJobRow.read_time) <= order.order_time)
        )
        async with self._sessions() as session:
            return (await session.exec(query.limit(JOBS_MAX))).all()


def _refuse_running(jobs: Sequence[ExportJobRow]) -> None:
    for job in jobs:
        if job.state == export_job_pb2.ExportJob.RUNNING:
            message = f"export job {job.export_job} has read the person, perhaps"
            raise Unavailable("EXPORT_UNDER_WAY", message, export_job=job.export_job)
