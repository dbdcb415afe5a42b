"""Who was erased, as hashes, and erasures that are under way."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from audience.columns import Table, identifier, moment


class ErasedPersonRow(Table, table=True):
    """The keyed hash of a user id or an address that is not to be written again unasked."""

    __tablename__ = "erased_person"

    application: str = identifier(primary_key=True)
    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    kind: int = Field(sa_type=SmallInteger)
    erase_time: datetime = moment()


class UserErasureRow(Table, table=True):
    """An erasure that some service has not answered. `event` is what they are told of the person,
    and goes with the row when the last one has answered."""

    __tablename__ = "user_erasure"

    application: str = identifier(primary_key=True)
    operation: str = identifier(primary_key=True)
    event: bytes = Field(sa_type=LargeBinary)
    answered: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    create_time: datetime = moment()
