"""Since when an address takes nothing over, and when it last did."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE webhook_destinations
            ADD COLUMN failing_time timestamptz,
            ADD COLUMN failure_status integer NOT NULL DEFAULT 0,
            ADD COLUMN failure_time timestamptz,
            ADD COLUMN taken_time timestamptz
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE webhook_destinations
            DROP COLUMN failing_time,
            DROP COLUMN failure_status,
            DROP COLUMN failure_time,
            DROP COLUMN taken_time
    """)
