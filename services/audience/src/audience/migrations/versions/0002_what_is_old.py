"""Indexes by which old import jobs, finished operations and old request ids are found."""

from alembic import op
from mesh.aip import operations, request_ids
from mesh.store import indexes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        request_ids.create_index(op)
        operations.create_index(op)
        indexes.create(op, "import_job_end_idx", "import_job (end_time) WHERE end_time IS NOT NULL")


def downgrade() -> None:
    indexes.drop(op, "import_job_end_idx", "operations_done_idx", "request_ids_create_time_idx")
