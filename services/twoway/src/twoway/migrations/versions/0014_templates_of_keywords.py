"""Keywords that answer with templates, and answers that know whom they are for."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE keywords
            ADD COLUMN template varchar NOT NULL DEFAULT '',
            ADD COLUMN default_substitutions jsonb NOT NULL DEFAULT '{}'
    """)
    op.execute("""
        ALTER TABLE reply_sets
            ADD COLUMN template varchar NOT NULL DEFAULT '',
            ADD COLUMN localized_reply_texts jsonb NOT NULL DEFAULT '{}',
            ADD COLUMN default_substitutions jsonb NOT NULL DEFAULT '{}',
            ADD COLUMN substitutions jsonb NOT NULL DEFAULT '{}'
    """)


def downgrade() -> None:
    op.execute(
        "ALTER TABLE reply_sets DROP COLUMN template, DROP COLUMN localized_reply_texts,"
        " DROP COLUMN default_substitutions, DROP COLUMN substitutions"
    )
    op.execute("ALTER TABLE keywords DROP COLUMN template, DROP COLUMN default_substitutions")
