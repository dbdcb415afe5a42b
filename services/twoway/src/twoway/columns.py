"""Kinds of columns that several tables have."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field


def moment() -> datetime:
    """A timestamptz column."""
    column: datetime = Field(sa_type=DateTime(timezone=True), nullable=False)
    return column


def maybe_moment() -> datetime | None:
    """A timestamptz column that may be empty."""
    column: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    return column


def texts(**column_settings: str) -> list[str]:
    """A text[] column."""
    column: list[str] = Field(
        default_factory=list,
        sa_type=ARRAY(Text),
        nullable=False,
        sa_column_kwargs=column_settings,
    )
    return column


def tree() -> Any:
    """A jsonb column, `{}` where nothing is said."""
    return Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default="{}"))
