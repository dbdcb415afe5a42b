"""Whose words count as STOP, HELP and START on a number; empty: those of every rule set."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE phone_numbers ADD COLUMN rule_set varchar NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE phone_numbers DROP COLUMN rule_set")
