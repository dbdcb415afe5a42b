"""What tells an object of a store from a later one of the same address."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A default, for the previous release goes on inserting without it.
    op.execute("ALTER TABLE import_job ADD COLUMN etag varchar NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE import_job DROP COLUMN etag")
