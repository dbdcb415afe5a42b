"""Applications that were deleted: each is known by its id for ever, and let in no more.

The row is also where an erasure stands, so that any replica goes on with one whose process died.
"""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from mesh import worker
from mesh.store import tables
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

TABLE: Final = "tombstones"
REFRESH_SECONDS: Final = 1.0
"""How soon every replica knows what one of them has heard."""

metadata = tables.metadata()

Sessions = async_sessionmaker[AsyncSession]


def _time(*, nullable: bool) -> Any:
    return Field(default=None, sa_column=sa.Column(sa.DateTime(timezone=True), nullable=nullable))


class TombstoneRow(SQLModel, table=True):
    """A deleted application. `erased_rows` counts by table; `announce_time` is when it was told."""

    __tablename__ = TABLE
    metadata = metadata

    application: str = Field(primary_key=True)
    operation: str
    delete_time: datetime = _time(nullable=False)
    hear_time: datetime = _time(nullable=False)
    erased_rows: dict[str, int] = Field(default_factory=dict, sa_type=JSONB, nullable=False)
    erase_time: datetime | None = _time(nullable=True)
    announce_time: datetime | None = _time(nullable=True)


# Whoever hears of it again, though it has answered, answers again: the answer may be lost.
_BURY: Final = text(
    """
INSERT INTO tombstones (application, operation, delete_time, hear_time, erased_rows)
VALUES (:application, :operation, :delete_time, :now, '{}')
ON CONFLICT (application) DO UPDATE SET announce_time = NULL
WHERE tombstones.announce_time IS NOT NULL
"""
)


async def bury(
    session: AsyncSession, application: str, operation: str, delete_time: datetime, now: datetime
) -> None:
    """Let the application in no more; what it has is to be erased for this operation."""
    values = {"application": application, "operation": operation, "delete_time": delete_time}
    await (await session.connection()).execute(_BURY, {**values, "now": now})


async def find(session: AsyncSession, application: str) -> TombstoneRow | None:
    """The deleted application, None when it was not deleted."""
    return await session.get(TombstoneRow, application)


async def unannounced(session: AsyncSession, limit: int) -> list[TombstoneRow]:
    """Those that are still to be erased or told of, the oldest first."""
    query = select(TombstoneRow).where(col(TombstoneRow.announce_time).is_(None))
    return list(
        (await session.exec(query.order_by(col(TombstoneRow.delete_time)).limit(limit))).all()
    )


class Tombstones:
    """The ids of deleted applications, in memory: every call is asked about."""

    def __init__(self, sessions: Sessions, *, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self._sessions = sessions
        self._refresh_seconds = refresh_seconds
        self._ids: frozenset[str] = frozenset()

    def __contains__(self, application: object) -> bool:
        return application in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Any:
        return iter(self._ids)

    async def refresh(self) -> None:
        """Read them again."""
        async with self._sessions() as session:
            self._ids = frozenset((await session.exec(select(TombstoneRow.application))).all())

    async def run(self) -> None:
        """Refresh until cancelled. While the database is away, nothing is written either."""
        await worker.run("tombstones", self.refresh, poll_seconds=self._refresh_seconds)


def create_table(op: Any) -> None:
    """The first form of the table, for a migration; `op` is alembic's."""
    op.create_table(
        TABLE,
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("delete_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hear_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_rows", JSONB(), nullable=False),
        sa.Column("erase_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announce_time", sa.DateTime(timezone=True), nullable=True),
    )


def drop_table(op: Any) -> None:
    """Undo `create_table`."""
    op.drop_table(TABLE)
