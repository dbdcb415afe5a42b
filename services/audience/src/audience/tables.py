"""The nouns as rows. Every key begins with the application, so that tables can be sharded by it.

Ids are compared byte by byte (collation C): cheaper than by language, and the order in which
members are streamed is the same in every database.
"""

from datetime import datetime
from typing import Any

from mesh.store import tables
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

metadata = tables.metadata()


class Table(SQLModel):
    """Every table of this service."""

    metadata = metadata


def identifier(*, primary_key: bool = False) -> Any:
    """An id, compared byte by byte."""
    return Field(sa_column=Column(String(collation="C"), primary_key=primary_key, nullable=False))


def moment(*, nullable: bool = False) -> Any:
    """A timestamptz column."""
    return Field(
        default=None if nullable else ...,
        sa_column=Column(DateTime(timezone=True), nullable=nullable),
    )


def added(kind: Any) -> Any:
    """A number that came with a later release: the one before goes on inserting without it."""
    return Field(default=0, sa_column=Column(kind, nullable=False, server_default=text("0")))


class ApplicationRow(Table, table=True):
    """A tenant. `settings` is an ApplicationSettings as protobuf bytes."""

    __tablename__ = "application"

    application: str = identifier(primary_key=True)
    display_name: str = ""
    labels: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    settings: bytes = Field(
        default=b"", sa_column=Column(LargeBinary, nullable=False, server_default=text("''"))
    )
    revision: int = Field(default=1, sa_type=BigInteger)
    create_time: datetime = moment()
    update_time: datetime = moment()


class EndpointRow(Table, table=True):
    """One address of one person. Enums are the numbers of the contract."""

    __tablename__ = "endpoint"
    __table_args__ = (
        # Who holds an address now. Hashed, as tokens may be longer than an index entry can be.
        Index(
            "endpoint_address_idx",
            "application",
            "channel_type",
            text("hashtextextended(address::text, 0)"),
            postgresql_where=text("status = 1"),
        ),
        # The endpoints of a user.
        Index(
            "endpoint_user_idx",
            "application",
            "user_id",
            postgresql_where=text("user_id::text <> ''::text"),
        ),
    )

    application: str = identifier(primary_key=True)
    endpoint: str = identifier(primary_key=True)
    channel_type: int = Field(sa_type=SmallInteger)
    address: str
    attributes: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    metrics: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    demographic: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    location: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    user_id: str = identifier()
    opt_out: int = Field(sa_type=SmallInteger)
    status: int = Field(sa_type=SmallInteger)
    refused_topics: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    create_time: datetime = moment()
    update_time: datetime = moment()
    revision: int = Field(sa_type=BigInteger)


class UserProfileRow(Table, table=True):
    """What all endpoints of a user id share; a row exists once there are attributes."""

    __tablename__ = "user_profile"

    application: str = identifier(primary_key=True)
    user_id: str = identifier(primary_key=True)
    attributes: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    create_time: datetime = moment()
    update_time: datetime = moment()
    revision: int = Field(default=1, sa_type=BigInteger)


class SegmentRow(Table, table=True):
    """A segment; its definition is that of its newest version."""

    __tablename__ = "segment"

    application: str = identifier(primary_key=True)
    segment: str = identifier(primary_key=True)
    display_name: str = ""
    description: str = ""
    labels: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False))
    version: int = Field(default=1, sa_type=BigInteger)
    revision: int = Field(default=1, sa_type=BigInteger)
    create_time: datetime = moment()
    update_time: datetime = moment()


class SegmentVersionRow(Table, table=True):
    """A definition as it was; `filter` is a SegmentFilter as protobuf bytes."""

    __tablename__ = "segment_version"
    __table_args__ = (
        ForeignKeyConstraint(
            ["application", "segment"],
            ["segment.application", "segment.segment"],
            ondelete="CASCADE",
        ),
    )

    application: str = identifier(primary_key=True)
    segment: str = identifier(primary_key=True)
    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    filter: bytes = Field(sa_type=LargeBinary)
    create_time: datetime = moment()


class ImportJobRow(Table, table=True):
    """A file on its way in.

    `processed_bytes` is where a job goes on whose worker died: a place in the file as it is
    unpacked, and in a Parquet file a row. `stored_bytes` is then how far that is in the file as it
    is stored; 0 where both are the same.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        # Workers ask for what is to be done and for nothing else.
        Index(
            "import_job_open_idx",
            "create_time",
            postgresql_where=text("state = ANY (ARRAY[2, 3])"),
        ),
        # What is old enough to go.
        Index("import_job_end_idx", "end_time", postgresql_where=text("end_time IS NOT NULL")),
    )

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    spec: bytes = Field(sa_type=LargeBinary)
    source: str
    path: str = ""
    file_changed_seconds: float = Field(default=0.0, sa_type=Double)
    state: int = Field(sa_type=SmallInteger)
    total_bytes: int = Field(default=0, sa_type=BigInteger)
    processed_bytes: int = Field(default=0, sa_type=BigInteger)
    processed_lines: int = Field(default=0, sa_type=BigInteger)
    imported_count: int = Field(default=0, sa_type=BigInteger)
    created_count: int = Field(default=0, sa_type=BigInteger)
    failed_count: int = Field(default=0, sa_type=BigInteger)
    deactivated_count: int = Field(default=0, sa_type=BigInteger)
    attempts: int = Field(default=0, sa_type=Integer)
    error: bytes = Field(default=b"", sa_type=LargeBinary)
    operation: str
    create_time: datetime = moment()
    start_time: datetime | None = moment(nullable=True)
    end_time: datetime | None = moment(nullable=True)
    stored_bytes: int = added(BigInteger)
    format: int = added(SmallInteger)
    evidence: int = added(SmallInteger)
    compression: int = added(SmallInteger)


class ImportFailureRow(Table, table=True):
    """One row of a file that was refused."""

    __tablename__ = "import_failure"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    line: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    field: str
    reason: str
    description: str


class ImportBlockRow(Table, table=True):
    """Bytes of an upload from `position` on; kept until the job has ended."""

    __tablename__ = "import_block"

    application: str = identifier(primary_key=True)
    import_job: str = identifier(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    data: bytes = Field(sa_type=LargeBinary)


class AddressOptOutRow(Table, table=True):
    """What was heard last of one address on one opt-out list, from the service that keeps the list.

    Who opted in again keeps a row for some days, so that an older opt-out that comes late is known
    to be older; so does a deleted list, as the row of the empty address.
    """

    __tablename__ = "address_opt_out"
    __table_args__ = (
        # What is old enough to go.
        Index("address_opt_out_ended_idx", "change_time", postgresql_where=text("NOT opted_out")),
    )

    application: str = identifier(primary_key=True)
    address: str = identifier(primary_key=True)
    opt_out_list: str = identifier(primary_key=True)
    opted_out: bool = Field(sa_type=Boolean)
    change_time: datetime = moment()
    origination_identity: str = ""


class ExportJobRow(Table, table=True):
    """A part of the audience on its way out.

    `last` is the endpoint after which a job goes on whose worker died: the last one of its last
    complete file. `segment` is a version, so that a change of the segment changes no export.
    """

    __tablename__ = "export_job"
    __table_args__ = (
        Index(
            "export_job_open_idx",
            "create_time",
            postgresql_where=text("state = ANY (ARRAY[1, 2])"),
        ),
        Index("export_job_end_idx", "end_time", postgresql_where=text("end_time IS NOT NULL")),
    )

    application: str = identifier(primary_key=True)
    export_job: str = identifier(primary_key=True)
    spec: bytes = Field(sa_type=LargeBinary)
    segment: str
    target: str
    path: str
    state: int = Field(sa_type=SmallInteger)
    total_count: int = Field(default=0, sa_type=BigInteger)
    exported_count: int = Field(default=0, sa_type=BigInteger)
    last: str = Field(default="", sa_column=Column(String(collation="C"), nullable=False))
    files: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    attempts: int = Field(default=0, sa_type=Integer)
    error: bytes = Field(default=b"", sa_type=LargeBinary)
    operation: str
    read_time: datetime = moment()
    create_time: datetime = moment()
    start_time: datetime | None = moment(nullable=True)
    end_time: datetime | None = moment(nullable=True)


class AttributeRemovalRow(Table, table=True):
    """Attributes on their way out, until the operation has ended.

    `last` is the key of the last row that was looked at, for whoever goes on.
    """

    __tablename__ = "attribute_removal"

    application: str = identifier(primary_key=True)
    operation: str = identifier(primary_key=True)
    kind: int = Field(sa_type=SmallInteger)
    patterns: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    last: str = Field(default="", sa_column=Column(String(collation="C"), nullable=False))
    scanned_count: int = Field(default=0, sa_type=BigInteger)
    changed_count: int = Field(default=0, sa_type=BigInteger)
    removed: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    attempts: int = Field(default=0, sa_type=Integer)
    create_time: datetime = moment()
