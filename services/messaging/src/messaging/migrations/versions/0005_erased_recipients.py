"""Orders to erase people, and whom nothing is sent to that was meant for them before."""

import sqlalchemy as sa
from alembic import op
from mesh.store import orders

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    orders.create_table(op)
    op.create_table(
        "erased_recipients",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("digest", sa.Uuid(), primary_key=True),
        sa.Column("erase_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hear_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("erased_recipients_by_time", "erased_recipients", ["hear_time"])


def downgrade() -> None:
    op.drop_table("erased_recipients")
    orders.drop_table(op)
