"""Who was erased, and how far their erasure is."""

import sqlalchemy as sa
from alembic import op
from mesh.store import orders
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased_person",
        sa.Column("application", sa.String(collation="C"), primary_key=True),
        sa.Column("hash", sa.LargeBinary(), primary_key=True),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("erase_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "user_erasure",
        sa.Column("application", sa.String(collation="C"), primary_key=True),
        sa.Column("operation", sa.String(collation="C"), primary_key=True),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("answered", JSONB(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
    orders.create_table(op)


def downgrade() -> None:
    orders.drop_table(op)
    op.drop_table("user_erasure")
    op.drop_table("erased_person")
