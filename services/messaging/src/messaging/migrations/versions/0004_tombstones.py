"""Deleted applications, and how far their erasure is."""

from alembic import op
from mesh.store import tombstones

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tombstones.create_table(op)


def downgrade() -> None:
    tombstones.drop_table(op)
