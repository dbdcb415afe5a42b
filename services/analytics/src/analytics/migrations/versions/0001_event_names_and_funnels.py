"""The names that events have carried, and funnels."""

import sqlalchemy as sa
from alembic import op
from mesh.aip import request_ids

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_name",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('EVENT_TYPE', 'ATTRIBUTE', 'METRIC')", name="event_name_kind_check"
        ),
    )
    op.create_table(
        "funnel",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("funnel", sa.String(), primary_key=True),
        sa.Column("definition", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
    )
    request_ids.create_table(op)


def downgrade() -> None:
    op.drop_table("request_ids")
    op.drop_table("funnel")
    op.drop_table("event_name")
