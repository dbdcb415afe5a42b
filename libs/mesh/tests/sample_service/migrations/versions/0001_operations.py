"""Long-running operations."""

from alembic import op
from mesh.aip import operations

revision = "0001"
down_revision = None


def upgrade() -> None:
    operations.create_table(op)


def downgrade() -> None:
    operations.drop_table(op)
