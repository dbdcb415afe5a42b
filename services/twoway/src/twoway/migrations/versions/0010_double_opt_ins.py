"""Keywords that ask before they opt in, who was asked, and both texts in the record of consent."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE keywords
            ADD COLUMN double_opt_in boolean NOT NULL DEFAULT false,
            ADD COLUMN double_opt_in_words text[] NOT NULL DEFAULT '{}',
            ADD COLUMN double_opt_in_window_seconds integer NOT NULL DEFAULT 86400,
            ADD COLUMN confirmed_reply_text varchar NOT NULL DEFAULT '',
            ADD COLUMN localized_confirmed_reply_texts jsonb NOT NULL DEFAULT '{}'
    """)
    op.execute("""
        CREATE TABLE opt_in_questions (
            application varchar NOT NULL,
            keeper varchar NOT NULL,
            source_address varchar NOT NULL,
            opt_out_list varchar NOT NULL,
            keyword_id varchar NOT NULL,
            requested_text varchar NOT NULL,
            question_text varchar NOT NULL,
            ask_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            PRIMARY KEY (application, keeper, source_address)
        )
    """)
    op.execute(
        "CREATE INDEX opt_in_questions_application_source_address_idx"
        " ON opt_in_questions (application, source_address)"
    )
    op.execute("CREATE INDEX opt_in_questions_expire_time_idx ON opt_in_questions (expire_time)")
    op.execute("""
        ALTER TABLE consent_changes
            ADD COLUMN requested_text varchar NOT NULL DEFAULT '',
            ADD COLUMN question_text varchar NOT NULL DEFAULT ''
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE consent_changes DROP COLUMN requested_text, DROP COLUMN question_text")
    op.execute("DROP TABLE opt_in_questions")
    op.execute("""
        ALTER TABLE keywords
            DROP COLUMN double_opt_in,
            DROP COLUMN double_opt_in_words,
            DROP COLUMN double_opt_in_window_seconds,
            DROP COLUMN confirmed_reply_text,
            DROP COLUMN localized_confirmed_reply_texts
    """)
