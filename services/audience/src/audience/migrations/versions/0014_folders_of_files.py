"""Parts of an import that are files of a folder, too."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Defaults, for the previous release goes on inserting without them.
    op.execute("ALTER TABLE import_part ADD COLUMN name varchar NOT NULL DEFAULT ''")
    op.execute(
        "ALTER TABLE import_part ADD COLUMN changed_seconds double precision NOT NULL DEFAULT 0"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE import_part DROP COLUMN name")
    op.execute("ALTER TABLE import_part DROP COLUMN changed_seconds")
