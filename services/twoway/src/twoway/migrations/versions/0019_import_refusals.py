"""Every line that an import of opted-out numbers refused, and why."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE opted_out_import_refusals (
            application varchar NOT NULL,
            operation varchar NOT NULL,
            line integer NOT NULL,
            field varchar NOT NULL,
            reason varchar NOT NULL,
            description varchar NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (application, operation, line)
        )
    """)
    op.execute("""
        CREATE INDEX opted_out_import_refusals_create_idx
            ON opted_out_import_refusals (create_time)
    """)


def downgrade() -> None:
    op.execute("DROP TABLE opted_out_import_refusals")
