"""Which erasure a recipient was erased by, so that what is found of them later counts there."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE erased_recipients ADD COLUMN operation varchar NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE erased_recipients DROP COLUMN operation")
