"""From when until when a keyword matches."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE keywords ADD COLUMN start_time timestamptz, ADD COLUMN end_time timestamptz"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE keywords DROP COLUMN start_time, DROP COLUMN end_time")
