"""What the tables of this package have in common."""

from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlmodel import Field


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def timestamp() -> datetime:
    """A timestamptz column that is filled when the row is made."""
    made: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), nullable=False)
    return made
