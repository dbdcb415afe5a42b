"""Numbers, keywords, opt-outs, the record of consent, what came in and what is still to be said."""

from alembic import op
from mesh.aip import request_ids
from mesh.eventing import outbox

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE phone_numbers (
        application varchar NOT NULL,
        phone_number varchar NOT NULL,
        display_name varchar NOT NULL,
        type varchar NOT NULL,
        country_code varchar NOT NULL,
        capabilities text[] NOT NULL,
        message_type varchar NOT NULL,
        two_way_enabled boolean NOT NULL,
        self_managed_opt_outs_enabled boolean NOT NULL,
        opt_out_list varchar NOT NULL,
        deletion_protection_enabled boolean NOT NULL,
        revision integer NOT NULL,
        create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL,
        PRIMARY KEY (application, phone_number)
    )
    """,
    """
    CREATE TABLE keywords (
        application varchar NOT NULL,
        phone_number varchar NOT NULL,
        keyword_id varchar NOT NULL,
        keyword varchar NOT NULL,
        words varchar NOT NULL,
        action varchar NOT NULL,
        reply_text varchar NOT NULL,
        localized_reply_texts jsonb NOT NULL,
        revision integer NOT NULL,
        create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL,
        PRIMARY KEY (application, phone_number, keyword_id)
    )
    """,
    """
    CREATE TABLE opt_out_lists (
        application varchar NOT NULL,
        opt_out_list varchar NOT NULL,
        display_name varchar NOT NULL,
        revision integer NOT NULL,
        create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL,
        PRIMARY KEY (application, opt_out_list)
    )
    """,
    """
    CREATE TABLE opted_out_numbers (
        application varchar NOT NULL,
        opt_out_list varchar NOT NULL,
        phone_number varchar NOT NULL,
        source varchar NOT NULL,
        text varchar NOT NULL,
        origination_identity varchar NOT NULL,
        inbound_message varchar NOT NULL,
        caller varchar NOT NULL,
        comment varchar NOT NULL,
        confirmed boolean NOT NULL,
        opt_out_time timestamptz NOT NULL,
        PRIMARY KEY (application, opt_out_list, phone_number)
    )
    """,
    """
    CREATE TABLE consent_changes (
        application varchar NOT NULL,
        consent_change varchar NOT NULL,
        opt_out_list varchar NOT NULL,
        phone_number varchar NOT NULL,
        kind varchar NOT NULL,
        source varchar NOT NULL,
        text varchar NOT NULL,
        origination_identity varchar NOT NULL,
        inbound_message varchar NOT NULL,
        caller varchar NOT NULL,
        comment varchar NOT NULL,
        change_time timestamptz NOT NULL,
        PRIMARY KEY (application, consent_change)
    )
    """,
    """
    CREATE TABLE inbound_messages (
        application varchar NOT NULL,
        inbound_message varchar NOT NULL,
        sequence bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        source_address varchar NOT NULL,
        destination_address varchar NOT NULL,
        text varchar NOT NULL,
        parts integer NOT NULL,
        connection varchar NOT NULL,
        receive_time timestamptz NOT NULL,
        intent varchar NOT NULL,
        flagged boolean NOT NULL,
        keyword_id varchar NOT NULL,
        opt_out_list varchar NOT NULL,
        consent_changed boolean NOT NULL,
        reply varchar NOT NULL,
        PRIMARY KEY (application, inbound_message)
    )
    """,
    """
    CREATE TABLE reply_sets (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        application varchar NOT NULL,
        request_id varchar NOT NULL,
        purpose varchar NOT NULL,
        reply_text varchar NOT NULL,
        origination_identity varchar NOT NULL,
        addresses text[] NOT NULL,
        inbound_messages text[] NOT NULL,
        state varchar NOT NULL CONSTRAINT reply_sets_state_check
            CHECK (state IN ('PENDING', 'REFUSED')),
        failure varchar NOT NULL,
        attempts integer NOT NULL,
        attempt_time timestamptz NOT NULL,
        create_time timestamptz NOT NULL
    )
    """,
)

INDEXES = (
    "CREATE INDEX ON phone_numbers (application, opt_out_list)",
    "CREATE UNIQUE INDEX ON keywords (application, phone_number, words)",
    "CREATE INDEX ON opted_out_numbers (application, phone_number, opt_out_list)",
    "CREATE INDEX ON consent_changes (application, change_time, consent_change)",
    "CREATE INDEX consent_changes_person_idx"
    " ON consent_changes (application, phone_number, opt_out_list, change_time)",
    "CREATE UNIQUE INDEX ON inbound_messages (application, sequence)",
    "CREATE INDEX ON inbound_messages (application, receive_time, sequence)",
    "CREATE INDEX inbound_messages_destination_idx"
    " ON inbound_messages (application, destination_address, receive_time, sequence)",
    "CREATE INDEX inbound_messages_source_idx"
    " ON inbound_messages (application, source_address, receive_time, sequence)",
    "CREATE INDEX ON reply_sets (attempt_time, id) WHERE state = 'PENDING'",
    "CREATE INDEX reply_sets_addresses_idx ON reply_sets USING gin (addresses)"
    " WHERE state = 'PENDING'",
)


def upgrade() -> None:
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    outbox.create_table(op)
    request_ids.create_table(op)


def downgrade() -> None:
    names = "reply_sets, inbound_messages, consent_changes, opted_out_numbers, opt_out_lists"
    op.execute(f"DROP TABLE {names}, keywords, phone_numbers, request_ids")
    outbox.drop_table(op)
