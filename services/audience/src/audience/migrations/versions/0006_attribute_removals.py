"""Removals of attributes that are under way."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

REMOVALS = """
CREATE TABLE attribute_removal (
    application varchar COLLATE "C",
    operation varchar COLLATE "C",
    kind smallint NOT NULL,
    patterns jsonb NOT NULL,
    last varchar COLLATE "C" NOT NULL,
    scanned_count bigint NOT NULL,
    changed_count bigint NOT NULL,
    removed jsonb NOT NULL,
    attempts integer NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (application, operation)
)
"""


def upgrade() -> None:
    op.execute(REMOVALS)


def downgrade() -> None:
    op.drop_table("attribute_removal")
