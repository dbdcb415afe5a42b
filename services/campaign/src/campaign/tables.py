"""The nouns as rows: campaigns, their versions, and their runs."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    text,
)
from sqlmodel import Field, SQLModel

metadata = tables.metadata()


class Table(SQLModel):
    """Every table of this service."""

    metadata = metadata


def moment(*, nullable: bool = False) -> datetime:
    """A timestamptz column."""
    column: datetime = Field(sa_type=DateTime(timezone=True), nullable=nullable)
    return column


def count() -> int:
    """A whole number that the release before this one does not write."""
    column: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    return column


class CampaignRow(Table, table=True):
    """A campaign. `definition` is the part its author writes, as protobuf bytes.

    A schedule without a start time counts from `launch_time`. `daily_max` is its own daily limit.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint(
            "state IN ('DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED', 'COMPLETED', 'CANCELLED')",
            name="campaign_state_check",
        ),
        # The ticker asks for what is due and for nothing else.
        Index("campaign_due_idx", "next_run_time", postgresql_where=text("state = 'SCHEDULED'")),
        # A run asks whether any campaign of its application has one.
        Index("campaign_daily_max_idx", "application", postgresql_where=text("daily_max > 0")),
    )

    application: str = Field(primary_key=True)
    campaign: str = Field(primary_key=True)
    definition: bytes = Field(sa_type=LargeBinary)
    state: str = "DRAFT"
    version: int = 1
    revision: int = 1
    launch_time: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    next_run_time: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    latest_run: str = ""
    daily_max: int = count()
    create_time: datetime = moment()
    update_time: datetime = moment()


class CampaignVersionRow(Table, table=True):
    """A campaign as of one version; a run keeps to the version it began with."""

    __tablename__ = "campaign_version"
    __table_args__ = (
        ForeignKeyConstraint(
            ["application", "campaign"],
            ["campaign.application", "campaign.campaign"],
            ondelete="CASCADE",
        ),
    )

    application: str = Field(primary_key=True)
    campaign: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    definition: bytes = Field(sa_type=LargeBinary)
    create_time: datetime = moment()


class RunRow(Table, table=True):
    """A run with its cursor.

    `cursor` is the last endpoint id whose page JetStream has acknowledged; `worker` holds the run
    until `lease_time`, and whoever finds that past may take it over. `rules` are what limits it, as
    a part of its batches; absent until a worker has asked for them.
    """

    __tablename__ = "run"
    __table_args__ = (
        ForeignKeyConstraint(
            ["application", "campaign"],
            ["campaign.application", "campaign.campaign"],
            ondelete="CASCADE",
        ),
        CheckConstraint(
            "state IN ('FANNING_OUT', 'SENDING', 'PAUSED', 'COMPLETED', 'CANCELLED', 'FAILED')",
            name="run_state_check",
        ),
        Index(
            "run_work_idx",
            "state",
            "lease_time",
            postgresql_where=text("state IN ('FANNING_OUT', 'SENDING')"),
        ),
    )

    application: str = Field(primary_key=True)
    campaign: str = Field(primary_key=True)
    run: str = Field(primary_key=True)
    state: str = "FANNING_OUT"
    campaign_version: int
    schedule_time: datetime = moment()
    start_time: datetime = moment()
    end_time: datetime | None = moment(nullable=True)
    cursor: str = ""
    members: int = Field(default=0, sa_type=BigInteger)
    failure: str = ""
    rules: bytes | None = Field(default=None, sa_type=LargeBinary)
    messages_per_second: int = count()
    worker: str = ""
    lease_time: datetime = moment()
