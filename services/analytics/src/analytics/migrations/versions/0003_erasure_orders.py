"""Orders to erase people, how far they are, and the operations that tell of them."""

import sqlalchemy as sa
from alembic import op
from mesh.aip import operations
from mesh.store import orders

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    orders.create_table(op)
    operations.create_table(op)
    op.create_index(
        "operations_done_idx", "operations", ["update_time"], postgresql_where=sa.text("done")
    )


def downgrade() -> None:
    operations.drop_table(op)
    orders.drop_table(op)
