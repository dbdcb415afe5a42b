"""Which messages each endpoint has had of late, and of each campaign."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE cap_counters (
            application varchar NOT NULL,
            counter varchar NOT NULL,
            endpoint_id varchar NOT NULL,
            messages jsonb NOT NULL,
            day date NOT NULL,
            PRIMARY KEY (application, counter, endpoint_id)
        ) WITH (fillfactor = 70)
        """
    )
    op.execute("CREATE INDEX cap_counters_daily ON cap_counters (day) WHERE counter = ''")
    op.execute("CREATE INDEX cap_counters_total ON cap_counters (day) WHERE counter <> ''")


def downgrade() -> None:
    op.execute("DROP TABLE cap_counters")
