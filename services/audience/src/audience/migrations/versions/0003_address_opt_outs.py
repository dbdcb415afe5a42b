"""What audience has heard of opt-out lists, by address."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE address_opt_out (
    application varchar COLLATE "C",
    address varchar COLLATE "C",
    opt_out_list varchar COLLATE "C",
    opted_out boolean NOT NULL,
    change_time timestamptz NOT NULL,
    origination_identity varchar NOT NULL,
    PRIMARY KEY (application, address, opt_out_list)
)
"""
INDEX = """
CREATE INDEX address_opt_out_ended_idx ON address_opt_out (change_time) WHERE NOT opted_out
"""


def upgrade() -> None:
    op.execute(sa.text(TABLE))
    op.execute(sa.text(INDEX))


def downgrade() -> None:
    op.drop_table("address_opt_out")
