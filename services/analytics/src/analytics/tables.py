"""The nouns as rows: the names that events have carried, and funnels."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import CheckConstraint, DateTime, LargeBinary
from sqlmodel import Field, SQLModel

metadata = tables.metadata()

EVENT_TYPE = "EVENT_TYPE"
ATTRIBUTE = "ATTRIBUTE"
METRIC = "METRIC"


class Table(SQLModel):
    """Every table of this service."""

    metadata = metadata


def moment() -> datetime:
    """A timestamptz column."""
    column: datetime = Field(sa_type=DateTime(timezone=True), nullable=False)
    return column


class EventNameRow(Table, table=True):
    """An event type, attribute key or metric key that an application has used."""

    __tablename__ = "event_name"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('EVENT_TYPE', 'ATTRIBUTE', 'METRIC')", name="event_name_kind_check"
        ),
    )

    application: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    description: str = ""
    archived: bool = False
    revision: int = 1
    create_time: datetime = moment()
    update_time: datetime = moment()


class FunnelRow(Table, table=True):
    """A funnel. `definition` is the part its author writes, as protobuf bytes."""

    __tablename__ = "funnel"

    application: str = Field(primary_key=True)
    funnel: str = Field(primary_key=True)
    definition: bytes = Field(sa_type=LargeBinary)
    revision: int = 1
    create_time: datetime = moment()
    update_time: datetime = moment()
