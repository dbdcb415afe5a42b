"""An index by which a person's inactive endpoints are found, at the addresses they have."""

from alembic import op
from mesh.store import indexes

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NAME = "endpoint_inactive_address_idx"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        columns = "application, channel_type, hashtextextended(address::text, 0)"
        indexes.create(op, NAME, f"endpoint ({columns}) WHERE status = 2")


def downgrade() -> None:
    indexes.drop(op, NAME)
