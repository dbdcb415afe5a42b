"""Parts of long texts, until the texts are whole."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE long_texts (
            application varchar NOT NULL,
            key uuid NOT NULL,
            text_id uuid NOT NULL,
            connection varchar NOT NULL,
            source_address varchar NOT NULL,
            destination_address varchar NOT NULL,
            data_coding smallint NOT NULL,
            parts bytea[] NOT NULL,
            announced boolean NOT NULL,
            receive_time timestamptz NOT NULL,
            due_time timestamptz NOT NULL,
            PRIMARY KEY (application, key)
        )
    """)
    op.execute("CREATE INDEX long_texts_by_time ON long_texts (due_time)")


def downgrade() -> None:
    op.execute("DROP TABLE long_texts")
