"""The nouns as rows. Every key begins with the application, so that tables can be sharded by it."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, text
from sqlmodel import Field, SQLModel

from twoway import channels
from twoway.answering import Answering
from twoway.columns import moment, texts, tree

metadata = tables.metadata()

PASSING = "NOT flagged AND intent NOT IN ('OPT_OUT', 'OPT_IN')"
"""Texts that may be forgotten one day: not those about consent, nor those a person must look at."""

DEFAULT_LIST = "default"
"""Id of the opt-out list that every application has."""


class Table(SQLModel):
    """Every table of this service.

    What is written by the thousand has a plain class of its own, which costs a tenth to make.
    """

    metadata = metadata


class PhoneNumberRow(Answering, Table, table=True):
    """A number of an application."""

    __tablename__ = "phone_numbers"
    __table_args__ = (
        Index(None, "application", "opt_out_list"),
        Index(None, "application", "pool"),
    )

    application: str = Field(primary_key=True)
    phone_number: str = Field(primary_key=True)
    display_name: str = ""
    type: str
    country_code: str = ""
    capabilities: list[str] = texts()
    message_type: str = "TRANSACTIONAL"
    opt_out_list: str = DEFAULT_LIST
    pool: str = Field(default="", sa_column_kwargs={"server_default": ""})
    revision: int = 1
    create_time: datetime = moment()
    update_time: datetime = moment()


class PoolRow(Answering, Table, table=True):
    """Numbers and sender ids that act as one.

    Its settings stand in the rows of its members as well, where each text and each question of
    consent finds them; its keywords stand here only.
    """

    __tablename__ = "pools"
    __table_args__ = (Index(None, "application", "opt_out_list"),)

    application: str = Field(primary_key=True)
    pool: str = Field(primary_key=True)
    display_name: str = ""
    capabilities: list[str] = texts()
    message_type: str = "TRANSACTIONAL"
    opt_out_list: str = DEFAULT_LIST
    revision: int = 1
    create_time: datetime = moment()
    update_time: datetime = moment()


class SenderIdRow(Table, table=True):
    """A name that messages come from. `address` is the name as questions of consent know it."""

    __tablename__ = "sender_ids"
    __table_args__ = (
        Index(None, "application", "opt_out_list"),
        Index(None, "application", "address"),
    )

    application: str = Field(primary_key=True)
    sender_id: str = Field(primary_key=True)
    address: str
    country_code: str
    message_types: list[str] = texts()
    opt_out_list: str = DEFAULT_LIST
    deletion_protection_enabled: bool = False
    revision: int = 1
    create_time: datetime = moment()
    update_time: datetime = moment()


class PoolSenderIdRow(Table, table=True):
    """A sender id that belongs to a pool; it may belong to several."""

    __tablename__ = "pool_sender_ids"
    __table_args__ = (Index(None, "application", "sender_id"),)

    application: str = Field(primary_key=True)
    pool: str = Field(primary_key=True)
    sender_id: str = Field(primary_key=True)


class OptOutListRow(Table, table=True):
    """An opt-out list."""

    __tablename__ = "opt_out_lists"

    application: str = Field(primary_key=True)
    opt_out_list: str = Field(primary_key=True)
    display_name: str = ""
    revision: int = 1
    create_time: datetime = moment()
    update_time: datetime = moment()


class OptedOutNumber(Table):
    """A number that nothing is sent to: it is on the list exactly as long as it has a row.

    `confirmed` tells whether the person got the one confirmation, here or where an import is from.
    """

    __tablename__ = "opted_out_numbers"

    application: str = Field(primary_key=True)
    opt_out_list: str = Field(primary_key=True)
    phone_number: str = Field(primary_key=True)
    source: str
    text: str = ""
    origination_identity: str = ""
    inbound_message: str = ""
    caller: str = ""
    comment: str = ""
    confirmed: bool = False
    opt_out_time: datetime = moment()


class OptedOutNumberRow(OptedOutNumber, table=True):
    """As the database has it."""

    __table_args__ = (
        # Answers the question of consent from the index alone, for one list and for all.
        Index(None, "application", "phone_number", "opt_out_list"),
    )


class ConsentChange(Table):
    """An entry in the record of consent. Only ever added."""

    __tablename__ = "consent_changes"

    application: str = Field(primary_key=True)
    consent_change: str = Field(primary_key=True)
    opt_out_list: str
    phone_number: str
    kind: str
    source: str
    text: str = ""
    origination_identity: str = ""
    inbound_message: str = ""
    caller: str = ""
    comment: str = ""
    requested_text: str = Field(default="", sa_column_kwargs={"server_default": ""})
    question_text: str = Field(default="", sa_column_kwargs={"server_default": ""})
    change_time: datetime = moment()


class ConsentChangeRow(ConsentChange, table=True):
    """As the database has it."""

    __table_args__ = (
        Index(None, "application", "change_time", "consent_change"),
        Index(
            "consent_changes_person_idx",
            "application",
            "phone_number",
            "opt_out_list",
            "change_time",
        ),
    )


class InboundMessage(Table):
    """A text that somebody wrote; also the inbox, as each is acted upon when its row is made."""

    __tablename__ = "inbound_messages"

    application: str = Field(primary_key=True)
    inbound_message: str = Field(primary_key=True)
    source_address: str
    destination_address: str
    text: str
    parts: int = 1
    connection: str = ""
    receive_time: datetime = moment()
    intent: str
    flagged: bool = False
    keyword_id: str = ""
    opt_out_list: str = DEFAULT_LIST
    consent_changed: bool = False
    reply: str = ""
    reply_text: str = Field(default="", sa_column_kwargs={"server_default": ""})
    remarks: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Names of the contract's remarks, parted by spaces."""


class InboundMessageRow(InboundMessage, table=True):
    """As the database has it.

    `sequence` follows the order of commits within an application, so that a reader who has seen one
    has seen all before it.
    """

    __table_args__ = (
        Index(None, "application", "sequence", unique=True),
        Index(None, "application", "receive_time", "sequence"),
        Index(
            "inbound_messages_destination_idx",
            "application",
            "destination_address",
            "receive_time",
            "sequence",
        ),
        Index(
            "inbound_messages_source_idx",
            "application",
            "source_address",
            "receive_time",
            "sequence",
        ),
        Index("inbound_messages_passing_idx", "receive_time", postgresql_where=text(PASSING)),
    )

    sequence: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False)
    )


class ReplySetRow(Table, table=True):
    """Answers that messaging has not accepted yet: one text from one number to many people.

    Its row is made with the opt-outs it confirms and goes when messaging has accepted it. The set
    never changes, so that its request id always means the same messages.
    """

    __tablename__ = "reply_sets"
    __table_args__ = (
        CheckConstraint("state IN ('PENDING', 'REFUSED')", name="reply_sets_state_check"),
        Index(None, "attempt_time", "id", postgresql_where=text("state = 'PENDING'")),
        Index("reply_sets_refused_idx", "create_time", postgresql_where=text("state = 'REFUSED'")),
        Index(
            "reply_sets_addresses_idx",
            text("jsonb_object(addresses, addresses)"),
            postgresql_using="gin",
            postgresql_where=text("state = 'PENDING'"),
        ),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    application: str
    request_id: str
    purpose: str
    reply_text: str
    origination_identity: str
    addresses: list[str] = texts()
    inbound_messages: list[str] = texts()
    trace: dict[str, str] = tree()
    """Trace context of the text that is answered, or of one of them."""
    template: str = Field(default="", sa_column_kwargs={"server_default": ""})
    localized_reply_texts: dict[str, str] = tree()
    default_substitutions: dict[str, str] = tree()
    substitutions: dict[str, dict[str, str]] = tree()
    """Values for variables by address, where the text has any."""
    state: str = "PENDING"
    failure: str = ""
    attempts: int = 0
    attempt_time: datetime = moment()
    create_time: datetime = moment()


channels.notified_by(metadata.tables["inbound_messages"], channels.TEXTS)
channels.notified_by(metadata.tables["reply_sets"], channels.REPLIES)
