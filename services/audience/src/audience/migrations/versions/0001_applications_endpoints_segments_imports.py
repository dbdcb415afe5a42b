"""Applications, endpoints, users, segments and import jobs."""

import sqlalchemy as sa
from alembic import op
from mesh.aip import operations, request_ids
from mesh.eventing import outbox

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE application (
    application varchar COLLATE "C" PRIMARY KEY,
    display_name varchar NOT NULL,
    labels jsonb NOT NULL,
    revision bigint NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL
);
CREATE TABLE endpoint (
    application varchar COLLATE "C",
    endpoint varchar COLLATE "C",
    channel_type smallint NOT NULL,
    address varchar NOT NULL,
    attributes jsonb NOT NULL,
    metrics jsonb NOT NULL,
    demographic jsonb NOT NULL,
    location jsonb NOT NULL,
    user_id varchar COLLATE "C" NOT NULL,
    opt_out smallint NOT NULL,
    status smallint NOT NULL,
    refused_topics jsonb NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (application, endpoint)
);
CREATE INDEX endpoint_address_idx
    ON endpoint (application, channel_type, hashtextextended(address::text, 0)) WHERE status = 1;
CREATE INDEX endpoint_user_idx ON endpoint (application, user_id) WHERE user_id::text <> ''::text;
CREATE TABLE user_profile (
    application varchar COLLATE "C",
    user_id varchar COLLATE "C",
    attributes jsonb NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (application, user_id)
);
CREATE TABLE segment (
    application varchar COLLATE "C",
    segment varchar COLLATE "C",
    display_name varchar NOT NULL,
    description varchar NOT NULL,
    labels jsonb NOT NULL,
    version bigint NOT NULL,
    revision bigint NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (application, segment)
);
CREATE TABLE segment_version (
    application varchar COLLATE "C",
    segment varchar COLLATE "C",
    version bigint,
    filter bytea NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (application, segment, version),
    FOREIGN KEY (application, segment) REFERENCES segment (application, segment) ON DELETE CASCADE
);
CREATE TABLE import_job (
    application varchar COLLATE "C",
    import_job varchar COLLATE "C",
    spec bytea NOT NULL,
    source varchar NOT NULL,
    path varchar NOT NULL,
    file_changed_seconds double precision NOT NULL,
    state smallint NOT NULL,
    total_bytes bigint NOT NULL,
    processed_bytes bigint NOT NULL,
    processed_lines bigint NOT NULL,
    imported_count bigint NOT NULL,
    created_count bigint NOT NULL,
    failed_count bigint NOT NULL,
    deactivated_count bigint NOT NULL,
    attempts integer NOT NULL,
    error bytea NOT NULL,
    operation varchar NOT NULL,
    create_time timestamptz NOT NULL,
    start_time timestamptz,
    end_time timestamptz,
    PRIMARY KEY (application, import_job)
);
CREATE INDEX import_job_open_idx ON import_job (create_time) WHERE state = ANY (ARRAY[2, 3]);
CREATE TABLE import_failure (
    application varchar COLLATE "C",
    import_job varchar COLLATE "C",
    line bigint,
    field varchar NOT NULL,
    reason varchar NOT NULL,
    description varchar NOT NULL,
    PRIMARY KEY (application, import_job, line)
);
CREATE TABLE import_block (
    application varchar COLLATE "C",
    import_job varchar COLLATE "C",
    position bigint,
    data bytea NOT NULL,
    PRIMARY KEY (application, import_job, position)
);
-- Uploads are written once, read once and deleted: compressing them would only cost.
ALTER TABLE import_block ALTER COLUMN data SET STORAGE EXTERNAL;
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(sa.text(statement.replace(":", "\\:")))
    operations.create_table(op)
    request_ids.create_table(op)
    outbox.create_table(op)


def downgrade() -> None:
    outbox.drop_table(op)
    for table in (
        *("request_ids", "operations", "import_block", "import_failure", "import_job"),
        *("segment_version", "segment", "user_profile", "endpoint", "application"),
    ):
        op.drop_table(table)
