"""The ledger's tables. Written and read in sets through asyncpg, so they are plain tables.

No column that changes is in an index, so that an update of a row costs no index entry (HOT). Every
index but the primary key leaves some rows out, so that a statement which does not say so cannot be
planned on the wrong one. And its entries are shorter than those of the primary key: of two indexes
that seem to find one row, as all do without statistics, PostgreSQL takes the less deep one.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from messaging.tables import metadata

_TIME = sa.DateTime(timezone=True)

MESSAGES = sa.Table(
    "messages",
    metadata,
    sa.Column("application", sa.String, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("message_id", sa.Uuid, primary_key=True),
    sa.Column("batch_id", sa.String, nullable=False),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("treatment", sa.String, nullable=False),
    sa.Column("endpoint_id", sa.String, nullable=False),
    sa.Column("user_id", sa.String, nullable=False),
    sa.Column("channel_type", sa.SmallInteger, nullable=False),
    sa.Column("purpose", sa.SmallInteger, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("address_digest", sa.Uuid, nullable=False),
    # Null for a message that does not claim its address within the run.
    sa.Column("run_address_digest", sa.Uuid),
    sa.Column("origination", sa.String, nullable=False),
    sa.Column("country", sa.String, nullable=False),
    sa.Column("parts", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.SmallInteger, nullable=False),
    sa.Column("detail", sa.String, nullable=False),
    sa.Column("provider_message_id", sa.String, nullable=False),
    sa.Column("context", JSONB),
    sa.Column("create_time", _TIME, nullable=False),
    sa.Column("sent_time", _TIME),
    sa.Column("update_time", _TIME, nullable=False),
    sa.Index(
        "messages_by_run_address",
        "application",
        "run",
        "day",
        "run_address_digest",
        unique=True,
        postgresql_where=sa.text("run <> ''"),
    ),
    sa.Index(
        "messages_by_address",
        "application",
        "address_digest",
        postgresql_where=sa.text("address <> ''"),
    ),
    sa.Index(
        "messages_by_endpoint",
        "application",
        "endpoint_id",
        postgresql_where=sa.text("endpoint_id <> ''"),
    ),
    sa.Index(
        "messages_by_user",
        "application",
        "user_id",
        postgresql_where=sa.text("user_id <> ''"),
    ),
    postgresql_partition_by="RANGE (day)",
)

UNKNOWN_MESSAGES = sa.Table(
    "unknown_messages",
    metadata,
    sa.Column("application", sa.String, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("message_id", sa.Uuid, primary_key=True),
    sa.Column("settle_time", _TIME, nullable=False),
    # A batch with this one message, where the policy is to send it again; else empty.
    sa.Column("resend", sa.LargeBinary, nullable=False),
    sa.Index("unknown_messages_by_time", "settle_time"),
)

BATCH_FRONTIERS = sa.Table(
    "batch_frontiers",
    metadata,
    sa.Column("application", sa.String, primary_key=True),
    sa.Column("batch_id", sa.String, primary_key=True),
    # So many of the batch's first recipients may have left; the others have not.
    sa.Column("frontier", sa.Integer, nullable=False),
    sa.Column("update_time", _TIME, nullable=False),
)

CAP_COUNTERS = sa.Table(
    "cap_counters",
    metadata,
    sa.Column("application", sa.String, primary_key=True),
    # Empty: over all campaigns; else what tells one campaign from all others, ever.
    sa.Column("counter", sa.String, primary_key=True),
    sa.Column("endpoint_id", sa.String, primary_key=True),
    # The messages that count: id to seconds since 1970.
    sa.Column("messages", JSONB, nullable=False),
    # Of the last message: a date, so that it seldom changes.
    sa.Column("day", sa.Date, nullable=False),
    sa.Index("cap_counters_daily", "day", postgresql_where=sa.text("counter = ''")),
    sa.Index("cap_counters_total", "day", postgresql_where=sa.text("counter <> ''")),
)

HELD_BATCHES = sa.Table(
    "held_batches",
    metadata,
    sa.Column("application", sa.String, primary_key=True),
    sa.Column("batch_id", sa.String, primary_key=True),
    sa.Column("release_time", _TIME, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("held_batches_by_time", "release_time"),
)

PARKED_RECEIPTS = sa.Table(
    "parked_receipts",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("application", sa.String, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("provider_message_id", sa.String, nullable=False),
    sa.Column("reference", sa.Integer),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("detail", sa.String, nullable=False),
    sa.Column("event_time", _TIME, nullable=False),
    sa.Column("park_time", _TIME, nullable=False),
    sa.Column("try_time", _TIME, nullable=False),
    sa.Index("parked_receipts_by_time", "try_time"),
)
