"""Imports of opted-out numbers, and operations that tell how far they are."""

from alembic import op
from mesh.aip import operations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    operations.create_table(op)
    op.execute("CREATE INDEX operations_done_idx ON operations (update_time) WHERE done")
    op.execute(
        """
        CREATE TABLE opted_out_imports (
            application varchar NOT NULL,
            operation varchar NOT NULL,
            opt_out_list varchar NOT NULL,
            content bytea NOT NULL,
            outcome bytea NOT NULL,
            caller varchar NOT NULL,
            comment varchar NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (application, operation)
        )
        """
    )
    op.execute("CREATE INDEX opted_out_imports_create_time_idx ON opted_out_imports (create_time)")


def downgrade() -> None:
    op.execute("DROP TABLE opted_out_imports")
    operations.drop_table(op)
