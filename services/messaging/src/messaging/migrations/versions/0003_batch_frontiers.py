"""How far into each batch messages may have left.

A batch that is not there has sent nothing. That holds for every batch in work, as nothing was
released before this.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE batch_frontiers (
            application varchar NOT NULL,
            batch_id varchar NOT NULL,
            frontier integer NOT NULL,
            update_time timestamptz NOT NULL,
            PRIMARY KEY (application, batch_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE batch_frontiers")
