"""Exports as rows."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from twoway.columns import moment, texts

metadata = tables.metadata()


class OptedOutExportRow(SQLModel, table=True):
    """An opt-out list that is being written to files. Its row goes when it has ended.

    `last` is the last number of the files that are whole, which are `files`: there it goes on.
    `uri` is what the caller named, `path` where that is.
    """

    __tablename__ = "opted_out_exports"
    metadata = metadata
    __table_args__ = (Index(None, "create_time"),)

    application: str = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    opt_out_list: str
    uri: str
    path: str
    format: int
    compression: int
    numbers_per_file: int
    total_count: int = Field(sa_type=BigInteger)
    written_count: int = Field(default=0, sa_type=BigInteger)
    last: str = ""
    files: list[str] = texts()
    attempts: int = 0
    create_time: datetime = moment()
