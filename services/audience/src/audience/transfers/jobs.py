"""The life of a job, as rows: made, found by a worker, begun, moved on, held, ended.

Imports and exports live the same life; what differs between them is data of `Jobs`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from google.protobuf.message import Message
from mesh.aip import operations, pagination, resource_names
from mesh.aip.operations import OperationRow
from mesh.errors import Cancelled, Error, FailedPrecondition, NotFound, Unavailable
from mesh.rpc import status
from sqlalchemy import bindparam, exists, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from audience.tables import ExportJobRow, ImportJobRow

ATTEMPTS_MAX: Final = 5
PAGE_SIZE_DEFAULT: Final = 100
PAGE_SIZE_MAX: Final = 1000
ERROR_DOMAIN: Final = "heliograph.audience.v1"

Row = TypeVar("Row", ImportJobRow, ExportJobRow)
Resource = TypeVar("Resource", bound=Message)
"""A job as the contract has it."""


async def _nothing(session: AsyncSession, row: Any, now: datetime) -> None:
    """What most jobs have to clear away."""


@dataclass(frozen=True)
class Jobs(Generic[Row, Resource]):
    """Jobs of one kind, `import` or `export`."""

    kind: str
    row: type[Row]
    pattern: str
    """Of resource names."""
    state: Callable[[str], int]
    """The number of a state in the contract."""
    render: Callable[[Row], Resource]
    place: Callable[[Row], tuple[str, Mapping[str, str]]]
    """How far a job is, in words and as metadata of an error."""
    ended: Callable[[AsyncSession, Row, datetime], Awaitable[None]] = _nothing
    """Called in the transaction that ends a job."""

    @property
    def noun(self) -> str:
        """Of their ids, wherever these are; the channel that is notified of new jobs, too."""
        return f"{self.kind}_job"

    @property
    def unended(self) -> tuple[int, ...]:
        """The states of a job that has not ended."""
        return tuple(map(self.state, ("QUEUED", "RUNNING", "PAUSED")))

    def ids(self, name: str, field: str = "name") -> tuple[str, str]:
        """The application and the id in the name of a job."""
        ids = resource_names.parse(self.pattern, name, field=field)
        return ids["application"], ids[self.noun]

    def is_running(self, row: Row) -> bool:
        """Whether its worker may go on with it."""
        return row.state == self.state("RUNNING")

    async def add(self, session: AsyncSession, row: Row) -> Row:
        """Store a job that waits for a worker, and the operation that ends with it."""
        operation = await operations.create(session, row.application, self.render(row))
        row.operation = operations.name(operation)
        session.add(row)
        await session.flush()
        await operations.update(session, row.operation, self.render(row))
        await self._notify(session)
        return row

    async def get(
        self, session: AsyncSession, application: str, job: str, *, lock: bool = False
    ) -> Row:
        """The job, or NOT_FOUND."""
        row = await session.get(self.row, (application, job), with_for_update=lock or None)
        if row is None:
            name = self._format(application, job)
            reason = f"{self.noun.upper()}_NOT_FOUND"
            metadata: dict[str, Any] = {self.noun: name}
            raise NotFound(reason, f"{name} does not exist", **metadata)
        return row

    async def waiting(self, session: AsyncSession, limit: int) -> Sequence[tuple[str, str]]:
        """Jobs that somebody has to work at, oldest first, as application and id.

        A held job is one when its operation was cancelled: only a worker can end it.
        """
        state = col(self.row.state)
        query = (
            select(self.row.application, self._id)
            .where(
                state.in_(bindparam("unended", self.unended, expanding=True, literal_execute=True))
            )
            .where((state != self.state("PAUSED")) | self._stopped())
            .order_by(col(self.row.create_time))
            .limit(limit)
        )
        return (await session.exec(query)).all()

    def _stopped(self) -> Any:
        return exists().where(
            col(OperationRow.application) == self.row.application,
            col(OperationRow.id) == func.split_part(self.row.operation, "/", 4),
            col(OperationRow.cancel_requested),
        )

    async def page(
        self, session: AsyncSession, application: str, page: pagination.Page
    ) -> tuple[list[Row], str]:
        """The next jobs, newest first, and the token of those after them."""
        created = col(self.row.create_time)
        query = select(self.row).filter_by(application=application)
        if page.after:
            moment, last = datetime.fromisoformat(str(page.after[0])), str(page.after[1])
            query = query.where((created < moment) | ((created == moment) & (self._id < last)))
        ordered = query.order_by(created.desc(), self._id.desc()).limit(page.limit)
        rows = (await session.exec(ordered)).all()
        return page.cut(rows, key=self._page_key)

    async def start(
        self, session: AsyncSession, application: str, job: str, now: datetime
    ) -> Row | None:
        """Count an attempt; None when there is nothing to do any more."""
        row = await self.get(session, application, job, lock=True)
        operation = await operations.get(session, row.operation, lock=True)
        if operation.cancel_requested:
            await self.fail(session, row, self.cancelled(), now)
        if row.state not in self.unended or row.state == self.state("PAUSED"):
            return None
        row.attempts += 1
        if row.attempts > ATTEMPTS_MAX:
            await self.fail(session, row, self._abandoned(row), now)
            return None
        row.state = self.state("RUNNING")
        row.start_time = row.start_time or now
        await operations.update(session, row.operation, self.render(row))
        return row

    async def move_on(
        self, session: AsyncSession, row: Row, progress: Message, now: datetime
    ) -> None:
        """Tell how far the job is; somebody who wished to stop it has it ended."""
        operation = await operations.update(session, row.operation, progress)
        if operation.cancel_requested:
            await self.fail(session, row, self.cancelled(), now)

    async def pause(self, session: AsyncSession, row: Row) -> None:
        """Hold a job; its worker sees it before it commits anything more."""
        self._refuse_ended(row)
        row.state = self.state("PAUSED")
        await operations.update(session, row.operation, self.render(row))

    async def resume(self, session: AsyncSession, row: Row) -> None:
        """Let a held job wait for a worker again; its attempts count anew."""
        self._refuse_ended(row)
        if row.state == self.state("PAUSED"):
            row.state, row.attempts = self.state("QUEUED"), 0
            await operations.update(session, row.operation, self.render(row))
            await self._notify(session)

    def _refuse_ended(self, row: Row) -> None:
        if row.state not in self.unended:
            reason = f"{self.kind.upper()}_ENDED"
            raise FailedPrecondition(reason, f"the {self.kind} has ended", job=self._name(row))

    def may_pass(self, row: Row, error: Error) -> bool:
        """Whether a job that met an error is worth another attempt: somebody it needs is away."""
        return isinstance(error, Unavailable) and row.attempts < ATTEMPTS_MAX

    async def succeed(self, session: AsyncSession, row: Row, now: datetime) -> None:
        """End a job that has done everything."""
        row.state, row.end_time = self.state("SUCCEEDED"), now
        job = self.render(row)
        await operations.update(session, row.operation, job)
        await operations.finish(session, row.operation, job)
        await self.ended(session, row, now)

    async def fail(self, session: AsyncSession, row: Row, error: Error, now: datetime) -> None:
        """End a job that cannot go on; what it has done stays. One that has ended stays so."""
        if row.state not in self.unended:
            return
        row.state = self.state("CANCELLED" if isinstance(error, Cancelled) else "FAILED")
        row.end_time = now
        row.error = status.from_error(error, ERROR_DOMAIN).SerializeToString()
        await operations.update(session, row.operation, self.render(row))
        await operations.fail(session, row.operation, error)
        await self.ended(session, row, now)

    def cancelled(self) -> Cancelled:
        """How a job ends that somebody stopped."""
        return Cancelled(f"{self.kind.upper()}_CANCELLED", "somebody stopped the job")

    def _abandoned(self, row: Row) -> Error:
        """How a job ends that failed so many times without getting on."""
        place, metadata = self.place(row)
        message = f"the job failed {ATTEMPTS_MAX} times {place}"
        facts: dict[str, Any] = {"attempts": str(ATTEMPTS_MAX), **metadata}
        return Error(f"{self.kind.upper()}_ABANDONED", message, **facts)

    async def _notify(self, session: AsyncSession) -> None:
        await session.exec(select(func.pg_notify(self.noun, "")))

    def _name(self, row: Row) -> str:
        return self._format(row.application, getattr(row, self.noun))

    def _format(self, application: str, job: str) -> str:
        return resource_names.format(self.pattern, **{"application": application, self.noun: job})

    @property
    def _id(self) -> Any:
        return col(getattr(self.row, self.noun))

    def _page_key(self, row: Row) -> list[str]:
        return [row.create_time.isoformat(), getattr(row, self.noun)]
