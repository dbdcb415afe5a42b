"""The index by which old request ids are found."""

from alembic import op
from mesh.aip import request_ids
from mesh.store import indexes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        request_ids.create_index(op)


def downgrade() -> None:
    indexes.drop(op, "request_ids_create_time_idx")
