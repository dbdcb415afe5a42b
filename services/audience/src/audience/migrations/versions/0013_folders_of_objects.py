"""Imports of folders: what is in them, and which part a job is at."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Defaults, for the previous release goes on inserting without them.
COLUMNS = {
    "part": "integer",
    "part_count": "integer",
    "before_lines": "bigint",
    "before_bytes": "bigint",
}
PARTS = """
CREATE TABLE import_part (
    application varchar COLLATE "C",
    import_job varchar COLLATE "C",
    part integer,
    path varchar NOT NULL,
    size_bytes bigint NOT NULL,
    etag varchar NOT NULL,
    before_lines bigint,
    PRIMARY KEY (application, import_job, part)
)
"""


def upgrade() -> None:
    for column, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE import_job ADD COLUMN {column} {kind} NOT NULL DEFAULT 0")
    op.execute(PARTS)


def downgrade() -> None:
    op.execute("DROP TABLE import_part")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE import_job DROP COLUMN {column}")
