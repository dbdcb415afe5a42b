"""Imports as rows."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from twoway.columns import moment

metadata = tables.metadata()


class OptedOutImportRow(SQLModel, table=True):
    """A file of opted-out numbers that is being taken in. Its row goes when it has ended.

    It is `content`, or what was found at `uri`: a file or object at `path`, and another one when
    its size, time or etag is another. `outcome` is the packed answer so far; what it has read is
    where the import goes on.
    """

    __tablename__ = "opted_out_imports"
    metadata = metadata
    __table_args__ = (Index(None, "create_time"),)

    application: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    opt_out_list: str
    content: bytes = b""
    uri: str = Field(default="", sa_column_kwargs={"server_default": ""})
    path: str = Field(default="", sa_column_kwargs={"server_default": ""})
    size_bytes: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")}
    )
    changed_seconds: float = Field(default=0.0, sa_column_kwargs={"server_default": text("0")})
    etag: str = Field(default="", sa_column_kwargs={"server_default": ""})
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    outcome: bytes = b""
    caller: str = ""
    comment: str = ""
    create_time: datetime = moment()


class OptedOutImportRefusal(SQLModel):
    """A line of an import that was refused. Kept as long as the import's operation."""

    __tablename__ = "opted_out_import_refusals"
    metadata = metadata

    application: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    line: int = Field(primary_key=True)
    field: str
    reason: str
    description: str
    create_time: datetime = moment()


class OptedOutImportRefusalRow(OptedOutImportRefusal, table=True):
    """As the database has it."""

    __table_args__ = (Index("opted_out_import_refusals_create_idx", "create_time"),)
