"""What was odd about texts, and how often their senders were answered."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE inbound_messages ADD COLUMN remarks varchar NOT NULL DEFAULT ''")
    op.execute("""
        CREATE TABLE reply_counts (
            application varchar NOT NULL,
            destination_address varchar NOT NULL,
            source_address varchar NOT NULL,
            replies integer NOT NULL,
            begin_time timestamptz NOT NULL,
            PRIMARY KEY (application, destination_address, source_address)
        )
    """)
    op.execute("CREATE INDEX reply_counts_begin_time_idx ON reply_counts (begin_time)")


def downgrade() -> None:
    op.execute("DROP TABLE reply_counts")
    op.execute("ALTER TABLE inbound_messages DROP COLUMN remarks")
