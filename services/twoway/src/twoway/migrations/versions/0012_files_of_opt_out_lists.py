"""Imports of files that are found at an address, and exports to files."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE opted_out_imports
            ADD COLUMN uri varchar NOT NULL DEFAULT '',
            ADD COLUMN path varchar NOT NULL DEFAULT '',
            ADD COLUMN size_bytes bigint NOT NULL DEFAULT 0,
            ADD COLUMN changed_seconds double precision NOT NULL DEFAULT 0,
            ADD COLUMN etag varchar NOT NULL DEFAULT '',
            ADD COLUMN attempts integer NOT NULL DEFAULT 0
    """)
    op.execute("""
        CREATE TABLE opted_out_exports (
            application varchar NOT NULL,
            operation varchar NOT NULL,
            opt_out_list varchar NOT NULL,
            uri varchar NOT NULL,
            path varchar NOT NULL,
            format integer NOT NULL,
            compression integer NOT NULL,
            numbers_per_file integer NOT NULL,
            total_count bigint NOT NULL,
            written_count bigint NOT NULL,
            last varchar NOT NULL,
            files text[] NOT NULL,
            attempts integer NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (application, operation)
        )
    """)
    op.execute("CREATE INDEX opted_out_exports_create_time_idx ON opted_out_exports (create_time)")


def downgrade() -> None:
    op.execute("DROP TABLE opted_out_exports")
    op.execute("""
        ALTER TABLE opted_out_imports
            DROP COLUMN uri,
            DROP COLUMN path,
            DROP COLUMN size_bytes,
            DROP COLUMN changed_seconds,
            DROP COLUMN etag,
            DROP COLUMN attempts
    """)
