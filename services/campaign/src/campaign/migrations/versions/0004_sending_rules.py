"""What limits a run, fixed when it begins, and which campaigns have a daily cap of their own.

No campaign has one before this, as they were refused. A run that is under way gets its rules when
it is taken up again.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE campaign ADD COLUMN daily_max integer NOT NULL DEFAULT 0")
    op.execute("CREATE INDEX campaign_daily_max_idx ON campaign (application) WHERE daily_max > 0")
    op.execute("ALTER TABLE run ADD COLUMN rules bytea")
    op.execute("ALTER TABLE run ADD COLUMN messages_per_second integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE run DROP COLUMN messages_per_second")
    op.execute("ALTER TABLE run DROP COLUMN rules")
    op.execute("DROP INDEX campaign_daily_max_idx")
    op.execute("ALTER TABLE campaign DROP COLUMN daily_max")
