"""Orders to erase people, and how far they are."""

from alembic import op
from mesh.store import orders

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    orders.create_table(op)


def downgrade() -> None:
    orders.drop_table(op)
