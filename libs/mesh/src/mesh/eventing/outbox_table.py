"""The table of events that have been decided and not yet been published."""

import uuid
from datetime import datetime
from typing import Any, Protocol

from mesh.store import tables
from sqlalchemy import DDL, Column, DateTime, Identity, LargeBinary, Text, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import BigInteger, Field, SQLModel

CHANNEL = "outbox"
"""Notified by every transaction that adds rows."""


class Operations(Protocol):
    """What of Alembic's `op` is needed here."""

    def execute(self, sqltext: str) -> Any: ...


class _Table(SQLModel):
    metadata = tables.metadata()


metadata = _Table.metadata
"""For `migrate.run_env(metadata, outbox.metadata)` and `assert_matches`."""


class OutboxRow(_Table, table=True):
    """One event on its way out, as bytes; `headers` holds its time and its trace context."""

    __tablename__ = "outbox"

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    event_id: str = Field(sa_column=Column(Text, nullable=False))
    subject: str = Field(sa_column=Column(Text, nullable=False))
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    headers: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    create_time: datetime | None = Field(
        default=None,
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")),
    )


TABLE = """
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL,
    subject text NOT NULL,
    payload bytea NOT NULL,
    headers jsonb NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now()
)
"""

FUNCTION = f"""
CREATE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('{CHANNEL}', ''); RETURN NULL; END $$
"""

TRIGGER = """
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox
FOR EACH STATEMENT EXECUTE FUNCTION outbox_notify()
"""


def create_table(op: Operations) -> None:
    """For a migration: the table as it was first. A later change gets a function of its own."""
    for statement in (TABLE, FUNCTION, TRIGGER):
        op.execute(statement)


def drop_table(op: Operations) -> None:
    """The way back."""
    op.execute("DROP TABLE outbox")
    op.execute("DROP FUNCTION outbox_notify()")


for _statement in (FUNCTION, TRIGGER):
    event.listen(metadata.tables["outbox"], "after_create", DDL(_statement))  # type: ignore[no-untyped-call]


def new_event_id() -> str:
    """An id for an event that has none by its content."""
    return str(uuid.uuid4())
