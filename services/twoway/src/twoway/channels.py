"""PostgreSQL notification channels of this room: they only save waiting.

Each has a table, and is notified of rows that are added to it.
"""

from sqlalchemy import DDL, Table, event

TEXTS = "twoway_inbound"
"""`inbound_messages`: streams have something to say."""

REPLIES = "twoway_replies"
"""`reply_sets`: there are answers to send."""

POSTS = "twoway_posts"
"""`webhook_posts`: there are texts to post."""

_FUNCTION = """
CREATE OR REPLACE FUNCTION notify_channel() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify(TG_ARGV[0], ''); RETURN NULL; END $$
"""


def notified_by(table: Table, channel: str) -> None:
    """Have the table created with the trigger that notifies the channel."""
    trigger = f"""
        CREATE TRIGGER {table.name}_notify AFTER INSERT ON {table.name}
        FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('{channel}')
    """
    for statement in (_FUNCTION, trigger):
        event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]
