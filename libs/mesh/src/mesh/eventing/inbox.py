"""Which events have been taken in: "seen" and "done" in one transaction, so each works once."""

from datetime import datetime
from typing import Any, Protocol

from mesh.store import tables
from sqlalchemy import Column, DateTime, Text, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class Operations(Protocol):
    """What of Alembic's `op` is needed here."""

    def execute(self, sqltext: str) -> Any: ...


class _Table(SQLModel):
    metadata = tables.metadata()


metadata = _Table.metadata
"""For `migrate.run_env(metadata, inbox.metadata)` and `assert_matches`."""


class InboxRow(_Table, table=True):
    """An event that a consumer of this service has taken in."""

    __tablename__ = "inbox"

    consumer: str = Field(sa_column=Column(Text, primary_key=True))
    event_id: str = Field(sa_column=Column(Text, primary_key=True))
    receive_time: datetime | None = Field(
        default=None,
        sa_column=Column(
            DateTime(timezone=True), nullable=False, server_default=text("now()"), index=True
        ),
    )


def create_table(op: Operations) -> None:
    """For a migration: the table as it was first. A later change gets a function of its own."""
    op.execute(
        "CREATE TABLE inbox (consumer text NOT NULL, event_id text NOT NULL, "
        "receive_time timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (consumer, event_id))"
    )
    op.execute("CREATE INDEX inbox_receive_time_idx ON inbox (receive_time)")


def drop_table(op: Operations) -> None:
    """The way back."""
    op.execute("DROP TABLE inbox")


async def first_time(session: AsyncSession, event_id: str, consumer: str = "") -> bool:
    """Whether this event is new to the consumer; remembered if the transaction commits.

    A second delivery at the same moment waits for the first one's transaction.
    """
    statement = insert(InboxRow).values(event_id=event_id, consumer=consumer)
    result = await session.exec(
        statement.on_conflict_do_nothing().returning(col(InboxRow.event_id))
    )
    return result.first() is not None


async def forget(session: AsyncSession, before: datetime, limit: int = 10_000) -> int:
    """Forget events received before a time that no stream keeps any more; how many they were.

    At most `limit` of them, so that the statement stays short: call again while it returns `limit`.
    """
    old = (
        select(InboxRow.consumer, InboxRow.event_id)
        .where(col(InboxRow.receive_time) < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = (await session.exec(old)).all()
    by_consumer: dict[str, list[str]] = {}
    for consumer, event_id in keys:
        by_consumer.setdefault(consumer, []).append(event_id)
    for consumer, event_ids in by_consumer.items():
        await session.exec(
            delete(InboxRow).where(
                col(InboxRow.consumer) == consumer, col(InboxRow.event_id).in_(event_ids)
            )
        )
    return len(keys)
