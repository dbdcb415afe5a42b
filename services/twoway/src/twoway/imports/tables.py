"""Imports as rows."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from twoway.tables import moment

metadata = tables.metadata()


class OptedOutImportRow(SQLModel, table=True):
    """A file of opted-out numbers that is being taken in. Its row goes when it has ended.

    `outcome` is the packed answer so far; what it has read is where the import goes on.
    """

    __tablename__ = "opted_out_imports"
    metadata = metadata
    __table_args__ = (Index(None, "create_time"),)

    application: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    opt_out_list: str
    content: bytes
    outcome: bytes = b""
    caller: str = ""
    comment: str = ""
    create_time: datetime = moment()
