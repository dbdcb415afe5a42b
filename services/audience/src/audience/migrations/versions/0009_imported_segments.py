"""Members that imports brought, and the segment versions that name them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LISTS = """
CREATE TABLE imported_list (
    application varchar COLLATE "C",
    import_job varchar COLLATE "C",
    endpoint_count bigint NOT NULL,
    user_count bigint NOT NULL,
    counts_by_channel jsonb NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (application, import_job)
)
"""
MEMBERS = """
CREATE TABLE imported_{noun} (
    application varchar COLLATE "C",
    import_job varchar COLLATE "C",
    {column} varchar COLLATE "C",
    PRIMARY KEY (application, import_job, {column})
)
"""
VERSIONS = """
ALTER TABLE segment_version
    ADD COLUMN import_job varchar COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN imported bytea NOT NULL DEFAULT ''
"""
JOBS = """
ALTER TABLE import_job ADD COLUMN segment varchar COLLATE "C" NOT NULL DEFAULT ''
"""
INDEX = """
CREATE INDEX segment_version_import_job_idx ON segment_version (application, import_job)
WHERE import_job::text <> ''::text
"""


def upgrade() -> None:
    op.execute(LISTS)
    op.execute(MEMBERS.format(noun="endpoint", column="endpoint"))
    op.execute(MEMBERS.format(noun="user", column="user_id"))
    for statement in (VERSIONS, JOBS, INDEX):
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE import_job DROP COLUMN segment")
    op.execute("ALTER TABLE segment_version DROP COLUMN import_job, DROP COLUMN imported")
    for table in ("imported_user", "imported_endpoint", "imported_list"):
        op.drop_table(table)
