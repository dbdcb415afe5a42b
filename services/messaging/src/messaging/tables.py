"""The nouns: what messaging keeps beside the ledger."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from mesh.aip.tables import timestamp
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

metadata = sa.MetaData()

ACCOUNT_INDEX = "channels_by_account"
"""Holds that no two channels have one account."""


def _json() -> Any:
    return Field(default_factory=dict, sa_type=JSONB, nullable=False)


def _optional_time() -> Any:
    return Field(default=None, sa_type=sa.DateTime(timezone=True), nullable=True)


class ChannelRow(SQLModel, table=True):
    """How an application reaches one kind of address. `secrets` are sealed, by field path.

    `account` is what `channel_configs.account` says. It is unique over all applications, the one
    key that does not begin with theirs: a spread database keeps this small table whole.
    """

    __tablename__ = "channels"
    __table_args__ = (
        sa.UniqueConstraint("application", "channel_type"),
        sa.Index(ACCOUNT_INDEX, "account", unique=True),
    )
    metadata = metadata

    application: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    channel_type: int = Field(sa_type=sa.SmallInteger)
    enabled: bool
    config: bytes
    secrets: dict[str, str] = _json()
    revision: int = 1
    create_time: datetime = timestamp()
    update_time: datetime = timestamp()
    account: str | None = None


class TemplateRow(SQLModel, table=True):
    """A stored message; what it says lies in its versions."""

    __tablename__ = "templates"
    metadata = metadata

    application: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    description: str
    tags: dict[str, str] = _json()
    active_version: int = 1
    latest_version: int = 1
    revision: int = 1
    create_time: datetime = timestamp()
    update_time: datetime = timestamp()


class TemplateVersionRow(SQLModel, table=True):
    """One version of a template."""

    __tablename__ = "template_versions"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["application", "template_id"],
            ["templates.application", "templates.id"],
            ondelete="CASCADE",
        ),
    )
    metadata = metadata

    application: str = Field(primary_key=True)
    template_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    content: bytes
    description: str
    create_time: datetime = timestamp()
    update_time: datetime = timestamp()


class SuppressionRow(SQLModel, table=True):
    """An address that gets nothing more. The id is made of channel type and address digest."""

    __tablename__ = "suppressions"
    __table_args__ = (sa.Index("suppressions_by_time", "application", "create_time", "id"),)
    metadata = metadata

    application: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    address: str
    channel_type: int = Field(sa_type=sa.SmallInteger)
    cause: int = Field(sa_type=sa.SmallInteger)
    note: str = ""
    source_message: str = ""
    create_time: datetime = timestamp()
    expire_time: datetime | None = _optional_time()


class ErasedRecipientRow(SQLModel, table=True):
    """Somebody who was erased: what was on its way to them is not sent. `digest` is of an endpoint
    or an address; the row goes when nothing of then can be on its way any more."""

    __tablename__ = "erased_recipients"
    __table_args__ = (sa.Index("erased_recipients_by_time", "hear_time"),)
    metadata = metadata

    application: str = Field(primary_key=True)
    digest: UUID = Field(primary_key=True)
    erase_time: datetime = timestamp()
    hear_time: datetime = timestamp()
    operation: str = Field(
        default="", sa_column=sa.Column(sa.String, nullable=False, server_default="")
    )


class CancelledRunRow(SQLModel, table=True):
    """A run whose messages are no longer handed over."""

    __tablename__ = "cancelled_runs"
    metadata = metadata

    application: str = Field(primary_key=True)
    run: str = Field(primary_key=True)
    create_time: datetime = timestamp()


class SendRequestRow(SQLModel, table=True):
    """One request id of a direct send, and what was answered."""

    __tablename__ = "send_requests"
    __table_args__ = (sa.Index("send_requests_by_time", "create_time"),)
    metadata = metadata

    application: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True)
    checksum: bytes
    response: bytes
    batch_id: str
    create_time: datetime = timestamp()


class DirectBatchRow(SQLModel, table=True):
    """A batch of direct sends that is in the ledger and perhaps not yet on the bus."""

    __tablename__ = "direct_batches"
    metadata = metadata

    batch_id: str = Field(primary_key=True)
    application: str
    payload: bytes
    create_time: datetime = timestamp()


class InboundTextRow(SQLModel, table=True):
    """A text that arrived, so that the carrier's repetition of it gets the same id."""

    __tablename__ = "inbound_texts"
    __table_args__ = (sa.Index("inbound_texts_by_time", "receive_time"),)
    metadata = metadata

    application: str = Field(primary_key=True)
    key: UUID = Field(primary_key=True)
    inbound_id: str
    receive_time: datetime = timestamp()


class LongTextRow(SQLModel, table=True):
    """A text of which parts have come. `parts` are their octets, null for those that have not.

    Once it is announced they are digests, by which repetitions are known until the row goes.
    `due_time` is when it is announced by a sweep: as it is, if it is not whole by then.
    """

    __tablename__ = "long_texts"
    __table_args__ = (sa.Index("long_texts_by_time", "due_time"),)
    metadata = metadata

    application: str = Field(primary_key=True)
    key: UUID = Field(primary_key=True)
    text_id: UUID
    connection: str
    source_address: str
    destination_address: str
    data_coding: int = Field(sa_type=sa.SmallInteger)
    parts: list[bytes | None] = Field(sa_type=ARRAY(sa.LargeBinary), nullable=False)
    announced: bool
    receive_time: datetime = timestamp()
    due_time: datetime = timestamp()
