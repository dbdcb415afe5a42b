"""Batches of recipients who wait for the end of quiet time."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE held_batches (
            application varchar NOT NULL,
            batch_id varchar NOT NULL,
            release_time timestamptz NOT NULL,
            payload bytea NOT NULL,
            PRIMARY KEY (application, batch_id)
        )
        """
    )
    op.execute("CREATE INDEX held_batches_by_time ON held_batches (release_time)")


def downgrade() -> None:
    op.execute("DROP TABLE held_batches")
