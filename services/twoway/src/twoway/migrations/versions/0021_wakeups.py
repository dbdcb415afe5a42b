"""Whoever waits for texts, answers or posts is woken by the rows themselves, and only by those."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CHANNELS = {
    "inbound_messages": "twoway_inbound",
    "reply_sets": "twoway_replies",
    "webhook_posts": "twoway_posts",
}


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION notify_channel() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify(TG_ARGV[0], ''); RETURN NULL; END $$
    """)
    for table, channel in CHANNELS.items():
        op.execute(f"""
            CREATE TRIGGER {table}_notify AFTER INSERT ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('{channel}')
        """)


def downgrade() -> None:
    for table in CHANNELS:
        op.execute(f"DROP TRIGGER {table}_notify ON {table}")
    op.execute("DROP FUNCTION notify_channel()")
