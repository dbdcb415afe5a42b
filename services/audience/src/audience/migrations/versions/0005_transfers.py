"""What an import found its file to be, and export jobs."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = {
    "stored_bytes": "bigint",
    "format": "smallint",
    "evidence": "smallint",
    "compression": "smallint",
}
EXPORTS = """
CREATE TABLE export_job (
    application varchar COLLATE "C",
    export_job varchar COLLATE "C",
    spec bytea NOT NULL,
    segment varchar NOT NULL,
    target varchar NOT NULL,
    path varchar NOT NULL,
    state smallint NOT NULL,
    total_count bigint NOT NULL,
    exported_count bigint NOT NULL,
    last varchar COLLATE "C" NOT NULL,
    files jsonb NOT NULL,
    attempts integer NOT NULL,
    error bytea NOT NULL,
    operation varchar NOT NULL,
    read_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL,
    start_time timestamptz,
    end_time timestamptz,
    PRIMARY KEY (application, export_job)
);
CREATE INDEX export_job_open_idx ON export_job (create_time) WHERE state = ANY (ARRAY[1, 2]);
CREATE INDEX export_job_end_idx ON export_job (end_time) WHERE end_time IS NOT NULL;
"""


def upgrade() -> None:
    # Defaults, for the previous release goes on inserting without them.
    for column, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE import_job ADD COLUMN {column} {kind} NOT NULL DEFAULT 0")
    for statement in EXPORTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE export_job")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE import_job DROP COLUMN {column}")
