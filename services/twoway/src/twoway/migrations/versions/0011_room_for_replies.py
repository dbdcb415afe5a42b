"""Room in the pages of texts, so that noting a reply touches none of their five indexes."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE inbound_messages SET (fillfactor = 80)")


def downgrade() -> None:
    op.execute("ALTER TABLE inbound_messages RESET (fillfactor)")
