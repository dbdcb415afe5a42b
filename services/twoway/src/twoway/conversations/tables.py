"""Conversations as rows, and what was found to belong to them."""

from datetime import datetime
from typing import Any

from mesh.store import tables
from sqlalchemy import Index, func, text
from sqlalchemy.dialects.postgresql import array
from sqlmodel import Field, SQLModel

from twoway.columns import moment, texts
from twoway.tables import metadata as metadata_of_texts

metadata = tables.metadata()


def words(application: Any, said: Any) -> Any:
    """What a search looks at: the words of a text, and whose it is, so that one index has both."""
    owner = func.array_to_tsvector(array([application.op("||")(text("'@'"))]))
    return owner.op("||")(func.to_tsvector(text("'simple'::regconfig"), said))


class ConversationRow(SQLModel, table=True):
    """Everything between a number and a person. Its id follows from both (`threads.py`).

    Begun by the person's first text and no sooner: a campaign of a million makes no rows here.
    """

    __tablename__ = "conversations"
    metadata = metadata
    __table_args__ = (
        Index(None, "application", "last_message_time", "conversation"),
        Index(None, "application", "source_address"),
        Index(
            "conversations_open_idx",
            "application",
            "last_message_time",
            "conversation",
            postgresql_where=text("state = 'OPEN'"),
        ),
        Index(
            "conversations_assigned_idx",
            "application",
            "assignee",
            "last_message_time",
            "conversation",
            postgresql_where=text("assignee <> ''"),
        ),
    )

    application: str = Field(primary_key=True)
    conversation: str = Field(primary_key=True)
    phone_number: str
    source_address: str
    state: str = "OPEN"
    assignee: str = ""
    labels: list[str] = texts()
    revision: int = 1
    create_time: datetime = moment()
    last_message_time: datetime = moment()


class HandReplyRow(SQLModel, table=True):
    """An answer by hand. `message` is empty until messaging has accepted it."""

    __tablename__ = "hand_replies"
    metadata = metadata
    __table_args__ = (
        Index(None, "application", "source_address"),
        Index(None, "application", "message", postgresql_where=text("message <> ''")),
        Index(None, "create_time"),
    )

    application: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True)
    phone_number: str
    source_address: str
    text: str
    author: str = ""
    message: str = ""
    create_time: datetime = moment()


class MessageAnswerRow(SQLModel, table=True):
    """A text that answers a message of messaging's; `pending` while messaging was not asked yet.

    `message` and `endpoint` are ids, `run` is the run's name below its application.
    """

    __tablename__ = "message_answers"
    metadata = metadata
    __table_args__ = (
        Index(None, "application", "source_address"),
        Index(None, "receive_time"),
        Index("message_answers_pending_idx", "receive_time", postgresql_where=text("pending")),
    )

    application: str = Field(primary_key=True)
    inbound_message: str = Field(primary_key=True)
    source_address: str
    message: str = ""
    run: str = ""
    endpoint: str = ""
    pending: bool = False
    receive_time: datetime = moment()


for _texts in (metadata_of_texts.tables["inbound_messages"], metadata.tables["hand_replies"]):
    Index(
        f"{_texts.name}_words_idx",
        words(_texts.c.application, _texts.c.text),
        postgresql_using="gin",
    )
