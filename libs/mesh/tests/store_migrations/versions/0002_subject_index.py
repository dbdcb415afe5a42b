"""An index that is built beside running transactions, and its removal."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create an index concurrently, which no transaction may contain; then drop it."""
    with op.get_context().autocommit_block():
        op.create_index("subjects", "outbox", ["subject"], postgresql_concurrently=True)
    op.drop_index("subjects")


def downgrade() -> None:
    """Nothing is left to undo."""
