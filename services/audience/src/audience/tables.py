"""The nouns as rows. Every key begins with the application, so that tables can be sharded by it.

Those of files are in `transfers/tables.py`, those of lists in `segments/tables.py`, those of erased
people in `persons/tables.py`, and here again: who imports this has them all.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from audience.columns import Table, added_text, identifier, metadata, moment
from audience.persons.tables import ErasedPersonRow, UserErasureRow
from audience.segments.tables import ImportedEndpointRow, ImportedListRow, ImportedUserRow
from audience.transfers.tables import (
    ExportJobRow,
    ImportBlockRow,
    ImportFailureRow,
    ImportJobRow,
    ImportPartRow,
)

__all__ = [
    "AddressOptOutRow",
    "ApplicationRow",
    "AttributeRemovalRow",
    "EndpointRow",
    "ErasedPersonRow",
    "ExportJobRow",
    "ImportBlockRow",
    "ImportFailureRow",
    "ImportJobRow",
    "ImportPartRow",
    "ImportedEndpointRow",
    "ImportedListRow",
    "ImportedUserRow",
    "SegmentRow",
    "SegmentVersionRow",
    "UserErasureRow",
    "UserProfileRow",
    "metadata",
]


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
        # Who has had an address, for whoever erases a person.
        Index(
            "endpoint_inactive_address_idx",
            "application",
            "channel_type",
            text("hashtextextended(address::text, 0)"),
            postgresql_where=text("status = 2"),
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
    """A definition as it was: `filter` is a SegmentFilter as protobuf bytes.

    Where an import brought the members, `import_job` is its id, and `imported` the ImportedMembers.
    """

    __tablename__ = "segment_version"
    __table_args__ = (
        # Whether anybody names an import's list.
        Index(
            "segment_version_import_job_idx",
            "application",
            "import_job",
            postgresql_where=text("import_job::text <> ''::text"),
        ),
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
    import_job: str = added_text()
    imported: bytes = Field(
        default=b"", sa_column=Column(LargeBinary, nullable=False, server_default=text("''"))
    )


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
