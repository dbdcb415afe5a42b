"""Alarms on the rate of opt-outs."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE opt_out_alarms (
            application varchar NOT NULL,
            opt_out_alarm varchar NOT NULL,
            campaign varchar NOT NULL,
            rate_max double precision NOT NULL,
            window_seconds integer NOT NULL,
            delivered_min bigint NOT NULL,
            pause_campaign boolean NOT NULL,
            revision integer NOT NULL,
            check_time timestamptz NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            PRIMARY KEY (application, opt_out_alarm)
        )
    """)
    op.execute("CREATE INDEX opt_out_alarms_check_time_idx ON opt_out_alarms (check_time)")
    op.execute("""
        CREATE TABLE opt_out_alarm_states (
            application varchar NOT NULL,
            opt_out_alarm varchar NOT NULL,
            campaign varchar NOT NULL,
            state varchar NOT NULL,
            opted_out_count bigint NOT NULL,
            delivered_count bigint NOT NULL,
            count_time timestamptz NOT NULL,
            state_time timestamptz NOT NULL,
            trigger_time timestamptz,
            pause varchar NOT NULL,
            pause_time timestamptz NOT NULL,
            PRIMARY KEY (application, opt_out_alarm, campaign)
        )
    """)
    op.execute(
        "CREATE INDEX opt_out_alarm_states_pending_idx ON opt_out_alarm_states (pause_time)"
        " WHERE pause = 'PENDING'"
    )


def downgrade() -> None:
    op.execute("DROP TABLE opt_out_alarm_states")
    op.execute("DROP TABLE opt_out_alarms")
