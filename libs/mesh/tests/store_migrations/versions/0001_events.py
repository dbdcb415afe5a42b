"""The tables of events on their way out and in."""

from alembic import op
from mesh.eventing import inbox, outbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create both tables."""
    outbox.create_table(op)
    inbox.create_table(op)


def downgrade() -> None:
    """Drop both tables."""
    inbox.drop_table(op)
    outbox.drop_table(op)
