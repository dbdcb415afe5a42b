"""An application's settings, as protobuf bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is for a release that knows nothing of it and still creates applications.
    op.add_column(
        "application",
        sa.Column("settings", sa.LargeBinary(), nullable=False, server_default=sa.text("''")),
    )


def downgrade() -> None:
    op.drop_column("application", "settings")
