"""Conversations, answers by hand, what texts answer, and the words of texts."""

from alembic import op
from mesh.store import indexes

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE conversations (
        application varchar NOT NULL,
        conversation varchar NOT NULL,
        phone_number varchar NOT NULL,
        source_address varchar NOT NULL,
        state varchar NOT NULL,
        assignee varchar NOT NULL,
        labels text[] NOT NULL,
        revision integer NOT NULL,
        create_time timestamptz NOT NULL,
        last_message_time timestamptz NOT NULL,
        PRIMARY KEY (application, conversation)
    )
    """,
    """
    CREATE TABLE hand_replies (
        application varchar NOT NULL,
        request_id varchar NOT NULL,
        phone_number varchar NOT NULL,
        source_address varchar NOT NULL,
        text varchar NOT NULL,
        author varchar NOT NULL,
        message varchar NOT NULL,
        create_time timestamptz NOT NULL,
        PRIMARY KEY (application, request_id)
    )
    """,
    """
    CREATE TABLE message_answers (
        application varchar NOT NULL,
        inbound_message varchar NOT NULL,
        source_address varchar NOT NULL,
        message varchar NOT NULL,
        run varchar NOT NULL,
        endpoint varchar NOT NULL,
        pending boolean NOT NULL,
        receive_time timestamptz NOT NULL,
        PRIMARY KEY (application, inbound_message)
    )
    """,
)

INDEXES = (
    "CREATE INDEX ON conversations (application, last_message_time, conversation)",
    "CREATE INDEX ON conversations (application, source_address)",
    "CREATE INDEX conversations_open_idx ON conversations"
    " (application, last_message_time, conversation) WHERE state = 'OPEN'",
    "CREATE INDEX conversations_assigned_idx ON conversations"
    " (application, assignee, last_message_time, conversation) WHERE assignee <> ''",
    "CREATE INDEX ON hand_replies (application, source_address)",
    "CREATE INDEX ON hand_replies (application, message) WHERE message <> ''",
    "CREATE INDEX ON hand_replies (create_time)",
    "CREATE INDEX ON message_answers (application, source_address)",
    "CREATE INDEX ON message_answers (receive_time)",
    "CREATE INDEX message_answers_pending_idx ON message_answers (receive_time) WHERE pending",
)

WORDS = "array_to_tsvector(ARRAY[application || '@']) || to_tsvector('simple'::regconfig, text)"

# What people wrote before this release; the release before goes on writing texts without theirs,
# which begin with the next text of the person.
BEGIN = """
INSERT INTO conversations
SELECT application, left(encode(sha256(convert_to(
        concat_ws(E'\\n', application, destination_address, source_address), 'UTF8')), 'hex'), 32),
    destination_address, source_address, 'OPEN', '', '{}', 1, min(receive_time), max(receive_time)
FROM inbound_messages
GROUP BY application, destination_address, source_address
"""


def upgrade() -> None:
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    op.execute("ALTER TABLE inbound_messages ADD COLUMN reply_text varchar NOT NULL DEFAULT ''")
    op.execute(f"CREATE INDEX hand_replies_words_idx ON hand_replies USING gin (({WORDS}))")
    op.execute(BEGIN)
    with op.get_context().autocommit_block():
        indexes.create(op, "inbound_messages_words_idx", f"inbound_messages USING gin (({WORDS}))")


def downgrade() -> None:
    op.execute("DROP INDEX inbound_messages_words_idx")
    op.execute("ALTER TABLE inbound_messages DROP COLUMN reply_text")
    for table in ("message_answers", "hand_replies", "conversations"):
        op.execute(f"DROP TABLE {table}")
