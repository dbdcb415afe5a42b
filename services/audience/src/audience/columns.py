"""What the tables of this service have in common.

Ids are compared byte by byte (collation C): cheaper than by language, and the order in which
members are streamed is the same in every database.
"""

from typing import Any

from mesh.store import tables
from sqlalchemy import Column, DateTime, String, text
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


def added_text() -> Any:
    """An id or a name, compared byte by byte, that came with a later release, as `added`."""
    column = Column(String(collation="C"), nullable=False, server_default=text("''"))
    return Field(default="", sa_column=column)
