"""Posts that are promised, and the places they go to."""

from datetime import datetime

from mesh.store import tables
from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, text
from sqlmodel import Field, SQLModel

from twoway import channels
from twoway.columns import maybe_moment, moment

metadata = tables.metadata()


class WebhookPost(SQLModel):
    """A text that is to be posted; the row goes when somebody has taken it over.

    What is posted is read from the text itself, so that a text that was erased is posted no more.
    """

    __tablename__ = "webhook_posts"
    metadata = metadata

    application: str = Field(primary_key=True)
    inbound_message: str = Field(primary_key=True)
    source_address: str
    destination_address: str
    state: str = "PENDING"
    attempts: int = 0
    failure: str = ""
    attempt_time: datetime = moment()
    create_time: datetime = moment()


class WebhookPostRow(WebhookPost, table=True):
    """As the database has it. `id` follows the order in which texts were recorded."""

    __table_args__ = (
        CheckConstraint("state IN ('PENDING', 'FAILED')", name="webhook_posts_state_check"),
        Index(
            "webhook_posts_number_idx",
            "application",
            "destination_address",
            "attempt_time",
            postgresql_where=text("state = 'PENDING'"),
        ),
        Index("webhook_posts_source_idx", "application", "source_address", "id"),
        Index("webhook_posts_create_idx", "create_time"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False)
    )


class WebhookDestinationRow(SQLModel, table=True):
    """How an address of an application answers. Whoever has the lease posts to it."""

    __tablename__ = "webhook_destinations"
    __table_args__ = (Index("webhook_destinations_lease_idx", "lease_expire_time"),)
    metadata = metadata

    application: str = Field(primary_key=True)
    uri: str = Field(primary_key=True)
    lease: str = ""
    lease_expire_time: datetime = moment()
    attempt_time: datetime = moment()
    failed_rounds: int = 0
    """Rounds after each other in which nothing was taken over."""
    failing_time: datetime | None = maybe_moment()
    failure: str = ""
    """The last one, for a person to look at."""
    failure_status: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    failure_time: datetime | None = maybe_moment()
    taken_time: datetime | None = maybe_moment()


channels.notified_by(metadata.tables["webhook_posts"], channels.POSTS)
