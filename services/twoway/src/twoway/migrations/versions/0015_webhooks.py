"""Webhooks of numbers and pools, the posts that are promised, and how addresses answer."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("phone_numbers", "pools"):
        op.execute(f"""
            ALTER TABLE {table}
                ADD COLUMN webhook_uri varchar NOT NULL DEFAULT '',
                ADD COLUMN webhook_secrets jsonb NOT NULL DEFAULT '{{}}'
        """)
    op.execute("""
        CREATE TABLE webhook_posts (
            application varchar NOT NULL,
            inbound_message varchar NOT NULL,
            source_address varchar NOT NULL,
            destination_address varchar NOT NULL,
            state varchar NOT NULL,
            attempts integer NOT NULL,
            failure varchar NOT NULL,
            attempt_time timestamptz NOT NULL,
            create_time timestamptz NOT NULL,
            id bigint GENERATED ALWAYS AS IDENTITY,
            CONSTRAINT webhook_posts_pkey PRIMARY KEY (application, inbound_message),
            CONSTRAINT webhook_posts_state_check CHECK (state IN ('PENDING', 'FAILED'))
        )
    """)
    op.execute("""
        CREATE INDEX webhook_posts_number_idx
            ON webhook_posts (application, destination_address, attempt_time)
            WHERE state = 'PENDING'
    """)
    op.execute("""
        CREATE INDEX webhook_posts_source_idx ON webhook_posts (application, source_address, id)
    """)
    op.execute("CREATE INDEX webhook_posts_create_idx ON webhook_posts (create_time)")
    op.execute("""
        CREATE TABLE webhook_destinations (
            application varchar NOT NULL,
            uri varchar NOT NULL,
            lease varchar NOT NULL,
            lease_expire_time timestamptz NOT NULL,
            attempt_time timestamptz NOT NULL,
            failed_rounds integer NOT NULL,
            failure varchar NOT NULL,
            CONSTRAINT webhook_destinations_pkey PRIMARY KEY (application, uri)
        )
    """)
    op.execute("""
        CREATE INDEX webhook_destinations_lease_idx ON webhook_destinations (lease_expire_time)
    """)


def downgrade() -> None:
    op.execute("DROP TABLE webhook_destinations")
    op.execute("DROP TABLE webhook_posts")
    for table in ("phone_numbers", "pools"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN webhook_uri, DROP COLUMN webhook_secrets")
