"""Alarms as rows, and where each stands with each campaign."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from twoway.columns import maybe_moment, moment

metadata = tables.metadata()


class OptOutAlarmRow(SQLModel, table=True):
    """What an application wants to be warned of. `campaign` is an id, or empty for each by itself.

    `check_time` is when somebody looks next: who does puts it off first.
    """

    __tablename__ = "opt_out_alarms"
    metadata = metadata
    __table_args__ = (Index(None, "check_time"),)

    application: str = Field(primary_key=True)
    opt_out_alarm: str = Field(primary_key=True)
    campaign: str = ""
    rate_max: float = 0.0
    window_seconds: int = 0
    delivered_min: int = Field(default=0, sa_type=BigInteger)
    pause_campaign: bool = False
    revision: int = 1
    check_time: datetime = moment()
    create_time: datetime = moment()
    update_time: datetime = moment()


class OptOutAlarmStateRow(SQLModel, table=True):
    """Where an alarm stands with a campaign, by what was counted up to `count_time`.

    `pause` is empty, `PENDING` from when campaign is to be asked until it has answered, and then
    `DONE`. `pause_time` is when it is asked next.
    """

    __tablename__ = "opt_out_alarm_states"
    metadata = metadata
    __table_args__ = (
        Index(
            "opt_out_alarm_states_pending_idx",
            "pause_time",
            postgresql_where=text("pause = 'PENDING'"),
        ),
    )

    application: str = Field(primary_key=True)
    opt_out_alarm: str = Field(primary_key=True)
    campaign: str = Field(primary_key=True)
    state: str = "OK"
    opted_out_count: int = Field(default=0, sa_type=BigInteger)
    delivered_count: int = Field(default=0, sa_type=BigInteger)
    count_time: datetime = moment()
    state_time: datetime = moment()
    trigger_time: datetime | None = maybe_moment()
    pause: str = ""
    pause_time: datetime = moment()
