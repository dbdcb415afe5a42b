"""Workers look at paused jobs, too: somebody may wish to stop one."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The queries of the release before fit into both.
PAUSED = {"import_job": "2, 3, 7", "export_job": "1, 2, 6"}
BEFORE = {"import_job": "2, 3", "export_job": "1, 2"}


def upgrade() -> None:
    _index(PAUSED)


def downgrade() -> None:
    _index(BEFORE)


def _index(states: dict[str, str]) -> None:
    for table, listed in states.items():
        op.execute(f"DROP INDEX {table}_open_idx")
        op.execute(
            f"CREATE INDEX {table}_open_idx ON {table} (create_time)"
            f" WHERE state = ANY (ARRAY[{listed}])"
        )
