"""Campaigns, their versions and their runs."""

import sqlalchemy as sa
from alembic import op
from mesh.aip import request_ids
from mesh.eventing import outbox

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("campaign", sa.String(), primary_key=True),
        sa.Column("definition", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("launch_time", sa.DateTime(timezone=True)),
        sa.Column("next_run_time", sa.DateTime(timezone=True)),
        sa.Column("latest_run", sa.String(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'SCHEDULED', 'RUNNING', 'PAUSED', 'COMPLETED', 'CANCELLED')",
            name="campaign_state_check",
        ),
    )
    op.create_index(
        "campaign_due_idx",
        "campaign",
        ["next_run_time"],
        postgresql_where=sa.text("state = 'SCHEDULED'"),
    )
    op.create_table(
        "campaign_version",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("campaign", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("definition", sa.LargeBinary(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application", "campaign"],
            ["campaign.application", "campaign.campaign"],
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "run",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("campaign", sa.String(), primary_key=True),
        sa.Column("run", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("campaign_version", sa.Integer(), nullable=False),
        sa.Column("schedule_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("lease_time", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application", "campaign"],
            ["campaign.application", "campaign.campaign"],
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "state IN ('FANNING_OUT', 'SENDING', 'PAUSED', 'COMPLETED', 'CANCELLED', 'FAILED')",
            name="run_state_check",
        ),
    )
    op.create_index(
        "run_work_idx",
        "run",
        ["state", "lease_time"],
        postgresql_where=sa.text("state IN ('FANNING_OUT', 'SENDING')"),
    )
    outbox.create_table(op)
    request_ids.create_table(op)
