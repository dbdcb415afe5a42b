"""Pools, sender ids, and which of them belong together."""

from alembic import op
from mesh.store import indexes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE pools (
        application varchar NOT NULL,
        pool varchar NOT NULL,
        display_name varchar NOT NULL,
        capabilities text[] NOT NULL,
        message_type varchar NOT NULL,
        two_way_enabled boolean NOT NULL,
        self_managed_opt_outs_enabled boolean NOT NULL,
        opt_out_list varchar NOT NULL,
        deletion_protection_enabled boolean NOT NULL,
        rule_set varchar NOT NULL DEFAULT '',
        revision integer NOT NULL,
        create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL,
        PRIMARY KEY (application, pool)
    )
    """,
    """
    CREATE TABLE sender_ids (
        application varchar NOT NULL,
        sender_id varchar NOT NULL,
        address varchar NOT NULL,
        country_code varchar NOT NULL,
        message_types text[] NOT NULL,
        opt_out_list varchar NOT NULL,
        deletion_protection_enabled boolean NOT NULL,
        revision integer NOT NULL,
        create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL,
        PRIMARY KEY (application, sender_id)
    )
    """,
    """
    CREATE TABLE pool_sender_ids (
        application varchar NOT NULL,
        pool varchar NOT NULL,
        sender_id varchar NOT NULL,
        PRIMARY KEY (application, pool, sender_id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX ON pools (application, opt_out_list)",
    "CREATE INDEX ON sender_ids (application, opt_out_list)",
    "CREATE INDEX ON sender_ids (application, address)",
    "CREATE INDEX ON pool_sender_ids (application, sender_id)",
)


def upgrade() -> None:
    op.execute("ALTER TABLE phone_numbers ADD COLUMN pool varchar NOT NULL DEFAULT ''")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    with op.get_context().autocommit_block():
        indexes.create(
            op, "phone_numbers_application_pool_idx", "phone_numbers (application, pool)"
        )


def downgrade() -> None:
    op.execute("DROP TABLE pool_sender_ids, sender_ids, pools")
    op.execute("DROP INDEX phone_numbers_application_pool_idx")
    op.execute("ALTER TABLE phone_numbers DROP COLUMN pool")
