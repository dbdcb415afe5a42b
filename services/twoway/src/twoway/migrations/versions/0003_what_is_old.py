"""Indexes by which old texts, refused answers and request ids are found."""

from alembic import op
from mesh.aip import request_ids
from mesh.store import indexes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        request_ids.create_index(op)
        indexes.create(
            op,
            "inbound_messages_passing_idx",
            "inbound_messages (receive_time)"
            " WHERE NOT flagged AND intent NOT IN ('OPT_OUT', 'OPT_IN')",
        )
        indexes.create(
            op, "reply_sets_refused_idx", "reply_sets (create_time) WHERE state = 'REFUSED'"
        )


def downgrade() -> None:
    indexes.drop(
        op,
        "reply_sets_refused_idx",
        "inbound_messages_passing_idx",
        "request_ids_create_time_idx",
    )
