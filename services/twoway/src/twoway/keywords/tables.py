"""Keywords as rows, the questions that wait for a yes, and how often people were answered."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from twoway.columns import maybe_moment, moment, texts, tree

metadata = tables.metadata()

WINDOW_SECONDS_DEFAULT = 24 * 3600
"""How long the question of a double opt-in may be answered."""


class KeywordRow(SQLModel, table=True):
    """A keyword of a number or pool, or the changed texts of a default one.

    `phone_number` is the number, or the id of the pool, which never begins with a digit. `words` is
    the keyword in normalised form, as texts are compared with it.
    """

    __tablename__ = "keywords"
    __table_args__ = (Index(None, "application", "phone_number", "words", unique=True),)
    metadata = metadata

    application: str = Field(primary_key=True)
    phone_number: str = Field(primary_key=True)
    keyword_id: str = Field(primary_key=True)
    keyword: str
    words: str
    action: str
    reply_text: str = ""
    localized_reply_texts: dict[str, str] = Field(
        default_factory=dict, sa_type=JSONB, nullable=False
    )
    double_opt_in: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    double_opt_in_words: list[str] = texts(server_default="{}")
    double_opt_in_window_seconds: int = Field(
        default=WINDOW_SECONDS_DEFAULT,
        sa_column_kwargs={"server_default": str(WINDOW_SECONDS_DEFAULT)},
    )
    confirmed_reply_text: str = Field(default="", sa_column_kwargs={"server_default": ""})
    localized_confirmed_reply_texts: dict[str, str] = tree()
    template: str = Field(default="", sa_column_kwargs={"server_default": ""})
    default_substitutions: dict[str, str] = tree()
    start_time: datetime | None = maybe_moment()
    end_time: datetime | None = maybe_moment()
    revision: int = 1
    create_time: datetime = moment()
    update_time: datetime = moment()


class OptInQuestionRow(SQLModel, table=True):
    """Somebody who was asked whether they want to be written to, and has not said yes yet.

    `keeper` keeps the keyword: the number or its pool. There is one question at a time.
    """

    __tablename__ = "opt_in_questions"
    __table_args__ = (
        Index(None, "application", "source_address"),
        Index(None, "expire_time"),
    )
    metadata = metadata

    application: str = Field(primary_key=True)
    keeper: str = Field(primary_key=True)
    source_address: str = Field(primary_key=True)
    opt_out_list: str
    keyword_id: str
    requested_text: str
    question_text: str
    ask_time: datetime = moment()
    expire_time: datetime = moment()


class ReplyCount(SQLModel):
    """How many answers somebody had from a number since `begin_time`; see the loop guard."""

    __tablename__ = "reply_counts"
    metadata = metadata

    application: str = Field(primary_key=True)
    destination_address: str = Field(primary_key=True)
    source_address: str = Field(primary_key=True)
    replies: int
    begin_time: datetime = moment()


class ReplyCountRow(ReplyCount, table=True):
    """As the database has it."""

    __table_args__ = (Index(None, "begin_time"),)
